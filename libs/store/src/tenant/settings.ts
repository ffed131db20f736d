/** The settings of a tenant: what each means, what holds where nobody has said anything, who changes it, and how it is typed. */
import { TenantSetting } from '#lib/database';
import { DEFAULT_MAXIMUM_IMAGE_BYTES, imagePatternProblem, PATTERNS_MAXIMUM, urlPrefixProblem } from '#lib/jobs';
import { UNKNOWN_CONTENT } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { z } from 'zod';

interface Setting<T> {
  readonly schema: z.ZodType<T>;
  readonly default: T;
  /** An administrator of the tenant by the API, or only who runs the grid, by porin-admin. */
  readonly changedBy: 'tenant' | 'operator';
  /** Of `porin-admin tenant set`. */
  readonly option: string;
  /** What the option takes. */
  readonly takes: string;
  readonly help: string;
}

const GIB = 1024 ** 3;
/** Of shares of the grid. */
export const WEIGHT_MAXIMUM = 1_000;
const count = z.int().min(0).max(1_000_000_000);
const bytes = z
  .int()
  .min(0)
  .max(2 ** 53 - 1);

/** Of URLs; null: the grid's. */
const prefixes = z
  .array(
    z.string().superRefine((prefix, context) => {
      const problem = urlPrefixProblem(prefix);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    }),
  )
  .max(PATTERNS_MAXIMUM)
  .nullable();
/** Of image names (libs/jobs, image-pattern); null: the grid's. */
const patterns = z
  .array(
    z.string().superRefine((pattern, context) => {
      const problem = imagePatternProblem(pattern);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    }),
  )
  .max(PATTERNS_MAXIMUM)
  .nullable();

export const SETTINGS = {
  unknownContent: {
    schema: z
      .enum(UNKNOWN_CONTENT)
      .describe(
        'What jobs get whose image is of no registered application: "learn", they run and are learned from; "hold", they wait; "refuse", they end EXECUTOR_ERROR',
      ),
    default: 'hold',
    changedBy: 'tenant',
    option: 'unknown-content',
    takes: 'learn|hold|refuse',
    help: 'what jobs get whose image is of no application',
  },
  fourEyes: {
    schema: z
      .boolean()
      .describe(
        'Whether another person must approve: not the one who proposed a version by hand, nor who submitted the jobs that it comes from. Persons are principals, whatever key they use',
      ),
    default: false,
    changedBy: 'tenant',
    option: 'four-eyes',
    takes: 'on|off',
    help: 'whether another person must approve than who proposed, or submitted the jobs',
  },
  retentionDays: {
    schema: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .describe(
        'Days that logs and traces are kept, where that is less than the grid keeps them (PORIN_RETENTION_DAYS)',
      ),
    default: null,
    changedBy: 'tenant',
    option: 'retention-days',
    takes: 'days',
    help: 'how long logs and traces are kept, where the grid keeps them longer',
  },
  imageRegistries: {
    schema: patterns.describe(
      'Registries that images may come from, within what the nodes allow; null: all that the nodes allow',
    ),
    default: null,
    changedBy: 'operator',
    option: 'image-registries',
    takes: 'list',
    help: 'registries that images may come from, such as registry.example.org,docker.io/lab/*; "none" for none',
  },
  localImages: {
    schema: patterns.describe(
      'Images of a node that may be run without a registry, within what it allows; null: all that it allows',
    ),
    default: null,
    changedBy: 'operator',
    option: 'local-images',
    takes: 'list',
    help: 'images of a node\'s own that may be run, such as lab/*; "none" for none',
  },
  maxQueuedJobs: {
    schema: count.describe('Jobs that have not ended, at most; more are refused with too-many-jobs'),
    default: 100_000,
    changedBy: 'operator',
    option: 'max-queued-jobs',
    takes: 'number',
    help: 'jobs that have not ended',
  },
  maxStoredBytes: {
    schema: bytes.describe(
      'Bytes of stored logs, traces and recordings, at most; above it new jobs are refused with tenant-storage-full',
    ),
    default: 100 * GIB,
    changedBy: 'operator',
    option: 'max-stored-bytes',
    takes: 'bytes',
    help: 'stored logs, traces and recordings together',
  },
  maxImageBytes: {
    schema: bytes.describe(
      'Bytes, unpacked, that the pulled images of its jobs may take on one node; others of its images there are given up for a new one, and an image beyond it is refused with image-too-large',
    ),
    default: DEFAULT_MAXIMUM_IMAGE_BYTES,
    changedBy: 'operator',
    option: 'max-image-bytes',
    takes: 'bytes',
    help: 'pulled images on one node, unpacked',
  },
  maxProposals: {
    schema: count.describe(
      'Proposed profile versions that wait for a decision, at most; beyond it nothing is proposed',
    ),
    default: 1_000,
    changedBy: 'operator',
    option: 'max-proposals',
    takes: 'number',
    help: 'profile versions that wait for a decision',
  },
  weight: {
    schema: z
      .int()
      .min(1)
      .max(WEIGHT_MAXIMUM)
      .describe(
        'Of its share of CPU time, while jobs of several tenants wait: one of weight 2 gets twice as much as one of weight 1',
      ),
    default: 1,
    changedBy: 'operator',
    option: 'weight',
    takes: 'number',
    help: 'its share of CPU time, against those of other tenants',
  },
  inputPrefixes: {
    schema: prefixes.describe(
      'URL prefixes that are this tenant’s alone, for its inputs; null: it may name what the grid allows',
    ),
    default: null,
    changedBy: 'operator',
    option: 'input-prefixes',
    takes: 'list',
    help: 'where inputs may come from. Other tenants may name nothing there any more',
  },
  outputPrefixes: {
    schema: prefixes.describe('The same for its outputs'),
    default: null,
    changedBy: 'operator',
    option: 'output-prefixes',
    takes: 'list',
    help: 'where outputs may go, in the same way',
  },
} as const satisfies { readonly [N in Exclude<keyof TenantSetting, 'tenant'>]: Setting<unknown> };

export type SettingName = keyof typeof SETTINGS;
export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[];
export type TenantSettings = { readonly [N in SettingName]: z.output<(typeof SETTINGS)[N]['schema']> };

/** A tenant without a row, or with null in it, has these. */
export const TENANT_DEFAULTS = ofEach((name) => SETTINGS[name].default) as TenantSettings;

export function ofEach<T>(make: (name: SettingName) => T): Readonly<Record<SettingName, T>> {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, make(name)])) as Readonly<Record<SettingName, T>>;
}

export async function tenantSettings(manager: EntityManager, tenant: string): Promise<TenantSettings> {
  return settingsIn(await manager.findOneBy(TenantSetting, { tenant }));
}

/** Null: the tenant has no row. */
export function settingsIn(row: TenantSetting | null): TenantSettings {
  return row ? (ofEach((name) => row[name] ?? TENANT_DEFAULTS[name]) as TenantSettings) : TENANT_DEFAULTS;
}

/** Those that an administrator of the tenant changes, or the others. */
export function settingsOf(changedBy: Setting<unknown>['changedBy']): readonly SettingName[] {
  return SETTING_NAMES.filter((name) => SETTINGS[name].changedBy === changedBy);
}
