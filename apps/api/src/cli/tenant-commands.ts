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
    options: {
      'unknown-content': { type: 'string' },
      'four-eyes': { type: 'string' },
      'input-prefix': { type: 'string', multiple: true },
      'output-prefix': { type: 'string', multiple: true },
      ...TENANT_OPTION,
    },
    help: [
      'change it',
      '--unknown-content <what>   learn, hold or refuse: what jobs get whose image is of no application',
      '--four-eyes <on|off>       whether another person must approve than who proposed, or submitted the jobs',
      '--input-prefix <url>       URLs that inputs may come from; may be given several times. Other tenants lose them',
      '                           grid: those of the grid again, none: no URL at all',
      '--output-prefix <url>      URLs that outputs may go to, in the same way',
      '--tenant <name>            (default: default)',
    ],
    async run({ text, texts }) {
      const tenant = text('tenant') ?? '';
      const unknownContent = oneOf('unknown-content', UNKNOWN_CONTENT, text('unknown-content'));
      const fourEyes = oneOf('four-eyes', ON_OR_OFF, text('four-eyes'));
      const change = {
        unknownContent,
        fourEyes: fourEyes && fourEyes === 'on',
        inputPrefixes: prefixes(texts('input-prefix')),
        outputPrefixes: prefixes(texts('output-prefix')),
      };
      if (Object.values(change).every((value) => value === undefined)) {
        throw new UsageError('tenant set needs --unknown-content, --four-eyes, --input-prefix or --output-prefix');
      }
      const after = await withDatabase((database) =>
        database.transaction((manager) => changeTenant(manager, { tenant, actor: 'command line' }, change)),
      );
      printTenant(tenant, after);
    },
  },
];

/** Null: the grid's. */
function prefixes(given: readonly string[] | undefined): string[] | null | undefined {
  if (given?.length === 1 && given[0] === 'grid') return null;
  if (given?.length === 1 && given[0] === 'none') return [];
  return given && [...given];
}

function printTenant(tenant: string, settings: TenantSettings): void {
  const { unknownContent, fourEyes, inputPrefixes, outputPrefixes } = settings;
  const onOrOff = (is: boolean): string => (is ? 'on' : 'off');
  console.log(`tenant\t${tenant}`);
  console.log(`unknown content\t${unknownContent}\t(default: ${TENANT_DEFAULTS.unknownContent})`);
  console.log(`four eyes\t${onOrOff(fourEyes)}\t(default: ${onOrOff(TENANT_DEFAULTS.fourEyes)})`);
  const listed = (list: readonly string[] | null): string =>
    list === null ? "the grid's" : list.length === 0 ? 'none' : list.join(' ');
  console.log(`input prefixes\t${listed(inputPrefixes)}\t(default: the grid's)`);
  console.log(`output prefixes\t${listed(outputPrefixes)}\t(default: the grid's)`);
}
