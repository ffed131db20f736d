/** `porin-admin tenant show|set`: what holds for all jobs and versions of a tenant. */
import { UNKNOWN_CONTENT } from '#lib/profiles';
import { changeTenant, TENANT_DEFAULTS, type TenantSettings, tenantSettings } from '../tenant/tenant-settings.js';
import { type Command, oneOf, TENANT_OPTION, UsageError, withDatabase } from './command.js';

const ON_OR_OFF = ['on', 'off'] as const;

export const TENANT_COMMANDS: readonly Command[] = [
  {
    words: 'tenant show',
    options: TENANT_OPTION,
    help: ['what holds for all jobs and versions of a tenant', '--tenant <name>    (default: default)'],
    async run({ text }) {
      const tenant = text('tenant') ?? '';
      printTenant(tenant, await withDatabase((manager) => tenantSettings(manager, tenant)));
    },
  },
  {
    words: 'tenant set',
    options: { 'unknown-content': { type: 'string' }, 'four-eyes': { type: 'string' }, ...TENANT_OPTION },
    help: [
      'change it',
      '--unknown-content <what>   learn, hold or refuse: what jobs get whose image is of no application',
      '--four-eyes <on|off>       whether another person must approve than who proposed, or submitted the jobs',
      '--tenant <name>            (default: default)',
    ],
    async run({ text }) {
      const tenant = text('tenant') ?? '';
      const unknownContent = oneOf('unknown-content', UNKNOWN_CONTENT, text('unknown-content'));
      const fourEyes = oneOf('four-eyes', ON_OR_OFF, text('four-eyes'));
      if (unknownContent === undefined && fourEyes === undefined) {
        throw new UsageError('tenant set needs --unknown-content or --four-eyes');
      }
      const change = { unknownContent, fourEyes: fourEyes && fourEyes === 'on' };
      const after = await withDatabase((database) =>
        database.transaction((manager) => changeTenant(manager, { tenant, actor: 'command line' }, change)),
      );
      printTenant(tenant, after);
    },
  },
];

function printTenant(tenant: string, { unknownContent, fourEyes }: TenantSettings): void {
  const onOrOff = (is: boolean): string => (is ? 'on' : 'off');
  console.log(`tenant\t${tenant}`);
  console.log(`unknown content\t${unknownContent}\t(default: ${TENANT_DEFAULTS.unknownContent})`);
  console.log(`four eyes\t${onOrOff(fourEyes)}\t(default: ${onOrOff(TENANT_DEFAULTS.fourEyes)})`);
}
