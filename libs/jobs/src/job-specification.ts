/** What a submitter asks for: executors, data references and resources, with defaults and bounds. */
import { type Enforcement, type Monitoring } from '#lib/profiles';

/** Whether outputs that exist are published also when the payload failed. */
export const PUBLISH_ON = ['complete', 'executor-error'] as const;
export type PublishOn = (typeof PUBLISH_ON)[number];

export interface JobSpecification {
  readonly name: string;
  /** Run one after another; they share the inputs and outputs. */
  readonly executors: readonly ExecutorSpecification[];
  readonly inputs: readonly InputReference[];
  readonly outputs: readonly OutputReference[];
  /** Absolute paths in the container of empty directories that the executors share. */
  readonly volumes?: readonly string[];
  readonly publishOn: PublishOn;
  readonly resources: Resources;
  readonly requested: RequestedLevel;
  readonly tags: Readonly<Record<string, string>>;
  /** Higher goes first. */
  readonly priority: number;
}

/** Either an application of the tenant or an image. */
export interface ExecutorSpecification {
  readonly application?: string;
  readonly image?: string;
  /** Appended to the application's command prefix; the whole argument vector for an image. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path in the container; the image's own where absent. */
  readonly workingDirectory?: string;
  /** Absolute paths in the container: a file that is there when the executor starts, and files that are made for what it prints. */
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  /** The next executor runs, though the payload of this one failed; see `isIgnorable`. */
  readonly ignoreError?: boolean;
}

/** What a data reference stands for; absent: FILE. */
export const FILE_TYPES = ['FILE', 'DIRECTORY'] as const;
export type FileType = (typeof FILE_TYPES)[number];

/** Either a URL to fetch or the content itself (UTF-8 text). */
export interface InputReference {
  readonly name?: string;
  readonly url?: string;
  readonly content?: string;
  /** Absolute path in the container. */
  readonly path: string;
  /** A directory has a URL, and no digest. */
  readonly type?: FileType;
  /** 64 lower-case hexadecimal digits; checked before the payload starts. */
  readonly sha256?: string;
}

export interface OutputReference {
  readonly name?: string;
  /** Of a directory or pattern: what the URLs of its files begin with. */
  readonly url: string;
  /** Absolute path in the container of the regular file to publish, or of the directory with all that is below it; with `pathPrefix` a pattern. */
  readonly path: string;
  readonly type?: FileType;
  /** Of a pattern: the directory above it whose path URLs do not have. */
  readonly pathPrefix?: string;
}

export interface Resources {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** What the payload may write, outputs and scratch together. */
  readonly diskBytes: number;
  /** Limit on each attempt's payloads together, seconds. */
  readonly wallTimeS: number;
}

/** What the submitter asks of the level; `selectLevel` decides. */
export interface RequestedLevel {
  readonly enforcement?: Enforcement;
  readonly monitoring?: Monitoring;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

export const DEFAULT_RESOURCES: Resources = {
  cpuMilli: 1000,
  memoryBytes: GIB,
  diskBytes: GIB,
  wallTimeS: 3600,
};
export const DEFAULT_PRIORITY = 0;

/** Inclusive bounds of the resources. */
export const RESOURCE_BOUNDS = {
  cpuMilli: { minimum: 10, maximum: 1_000_000 },
  memoryBytes: { minimum: 16 * MIB, maximum: 2 ** 50 },
  diskBytes: { minimum: MIB, maximum: 2 ** 50 },
  wallTimeS: { minimum: 1, maximum: 30 * 24 * 3600 },
} as const satisfies Record<keyof Resources, { minimum: number; maximum: number }>;

export const PRIORITY_BOUNDS = { minimum: -100, maximum: 100 } as const;
/** The most urgent priority that a role may ask for. It acts within the tenant alone. */
export const MAXIMUM_PRIORITIES = { submitter: 10, reviewer: 50, admin: 100 } as const;

/** Largest sizes of a specification's parts. Arguments follow the kernel's MAX_ARG_STRLEN (128 KiB), paths its PATH_MAX. */
export const SPECIFICATION_BOUNDS = {
  nameCharacters: 256,
  executors: 16,
  imageCharacters: 512,
  arguments: 1024,
  argumentCharacters: 131_071,
  environmentVariables: 1024,
  references: 1000,
  volumes: 100,
  secrets: 20,
  pathBytes: 4095,
  /** Of one file: it is part of a key of the database. */
  outputPathBytes: 2000,
  urlCharacters: 8192,
  contentBytes: MIB,
  tags: 100,
  tagNameCharacters: 128,
  tagValueCharacters: 1024,
} as const;
