/** `porin-admin tenant show|set`: what holds for all jobs and versions of a tenant. */
import { imagePatternProblem, PATTERNS_MAXIMUM } from '#lib/jobs';
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
      'image-registries': { type: 'string' },
      'local-images': { type: 'string' },
      ...TENANT_OPTION,
    },
    help: [
      'change it',
      '--unknown-content <what>   learn, hold or refuse: what jobs get whose image is of no application',
      '--four-eyes <on|off>       whether another person must approve than who proposed, or submitted the jobs',
      '--image-registries <list>  registries that images may come from, such as registry.example.org,docker.io/lab/*;',
      '                           "none", or "grid" for all that the nodes allow',
      '--local-images <list>      images of a node\'s own that may be run, such as lab/*; "none" or "grid"',
      '--tenant <name>            (default: default)',
    ],
    async run({ text }) {
      const tenant = text('tenant') ?? '';
      const unknownContent = oneOf('unknown-content', UNKNOWN_CONTENT, text('unknown-content'));
      const fourEyes = oneOf('four-eyes', ON_OR_OFF, text('four-eyes'));
      const imageRegistries = patterns('image-registries', text('image-registries'));
      const localImages = patterns('local-images', text('local-images'));
      const change = { unknownContent, fourEyes: fourEyes && fourEyes === 'on', imageRegistries, localImages };
      if (Object.values(change).every((value) => value === undefined)) {
        throw new UsageError('tenant set needs something to set');
      }
      const after = await withDatabase((database) =>
        database.transaction((manager) => changeTenant(manager, { tenant, actor: 'command line' }, change)),
      );
      printTenant(tenant, after);
    },
  },
];

/** Null: the grid's. Undefined where nothing was given. */
function patterns(option: string, given: string | undefined): string[] | null | undefined {
  if (given === undefined) return undefined;
  if (given === 'grid') return null;
  if (given === 'none') return [];
  const list = given.split(',').map((pattern) => pattern.trim());
  const problem = list.map(imagePatternProblem).find((each) => each !== null);
  if (problem !== undefined) throw new UsageError(`--${option}: ${problem}`);
  if (list.length > PATTERNS_MAXIMUM) throw new UsageError(`--${option}: at most ${PATTERNS_MAXIMUM} patterns`);
  return list;
}

function printTenant(tenant: string, { unknownContent, fourEyes, imageRegistries, localImages }: TenantSettings): void {
  const onOrOff = (is: boolean): string => (is ? 'on' : 'off');
  console.log(`tenant\t${tenant}`);
  console.log(`unknown content\t${unknownContent}\t(default: ${TENANT_DEFAULTS.unknownContent})`);
  console.log(`four eyes\t${onOrOff(fourEyes)}\t(default: ${onOrOff(TENANT_DEFAULTS.fourEyes)})`);
  const listed = (list: string[] | null): string => (list === null ? 'grid' : list.join(',') || 'none');
  console.log(`image registries\t${listed(imageRegistries)}\t(default: grid)`);
  console.log(`local images\t${listed(localImages)}\t(default: grid)`);
}
