/** What the recorder saw of one executor run, with its certificate of completeness. */
import { type Hex } from './condition.js';
import { type Architecture } from './profile.js';

/** Every reason that makes a recording partial. A partial recording never enters a profile by itself. */
export const PARTIAL_REASONS = [
  'not-armed-before-start',
  'never-started',
  'map-failure',
  'compat-calls',
  'x32-calls',
  'unknown-calls',
  'io-uring',
  'recursion-misses',
  'foreign-processes',
  'overflow',
  'ring-full',
  'unresolved-paths',
  'drain-failed',
  'payload-stopped',
  'recorder-lost',
] as const;
export type PartialReason = (typeof PARTIAL_REASONS)[number];

/** The facts behind a recording's completeness, as counted in the kernel. Counts are calls unless named otherwise. */
export interface Certificate {
  readonly armedBeforeStart: boolean;
  readonly started: boolean;
  readonly cleanDrain: boolean;
  /** False when the payload was ended by a limit, a cancel, a lost worker or a signal. */
  readonly payloadEndedOnItsOwn: boolean;
  /** Of 32-bit architectures, and of x32: those that the kernel made, and those that were refused before it could. */
  readonly compatCalls: number;
  readonly x32Calls: number;
  readonly unknownCalls: number;
  readonly ioUringSetups: number;
  /** Programs' recursion_misses plus failed map updates. */
  readonly recursionMisses: number;
  readonly mapFailures: number;
  /** Processes that made calls in the cgroup and do not descend from porin-init. */
  readonly foreignProcesses: number;
  /** Calls made by porin-init itself, counted apart. */
  readonly supervisorCalls: number;
  readonly execs: number;
  /** Distinct argument values, refusals and paths beyond a recording's bound. Absent where an older recorder kept none. */
  readonly overflows?: number;
  /** Events of files that found no room on their way out of the kernel. Absent, as the next, where no files were recorded. */
  readonly ringFailures?: number;
  /** Paths that could not be read or resolved. */
  readonly unresolvedPaths?: number;
}

/** Calls of one name with the same values in all arguments that tell one use from another; see AWARE_ARGUMENTS. */
export interface ArgumentUse {
  readonly call: string;
  /** By argument ("0" to "5"); empty for calls without such arguments, which are here for their failures. */
  readonly values: Readonly<Record<string, Hex>>;
  /** Calls that entered the kernel. */
  readonly count: number;
  /** Calls that failed, by errno's name. */
  readonly failures: Readonly<Record<string, number>>;
}

export const FILE_ACCESSES = [
  'read',
  'write',
  'truncate',
  'list',
  'execute',
  'create',
  'remove',
  'rename-from',
  'rename-to',
  'link',
] as const;
export type FileAccess = (typeof FILE_ACCESSES)[number];

export interface FileUse {
  /** Absolute, below the root of the container's mount namespace, whatever the process' own root or directory. */
  readonly path: string;
  readonly access: FileAccess;
  /** 'ok', or an errno's name. */
  readonly result: string;
  /** True: the kernel's own file or directory; false: the text that was asked for, after a failure. */
  readonly resolved: boolean;
  readonly count: number;
}

export interface SocketUse {
  readonly operation: 'connect' | 'bind' | 'send';
  /** "AF_UNIX", "AF_INET", "AF_INET6", otherwise "AF_<number>". */
  readonly family: string;
  /** A path, "@name" for an abstract socket, or address and port ("127.0.0.1:80", "[::1]:80"). */
  readonly address: string;
  readonly result: string;
  readonly count: number;
}

export interface Recording {
  readonly version: 1;
  readonly architecture: Architecture;
  /** Calls by name, native ABI only. */
  readonly calls: Readonly<Record<string, number>>;
  /**
   * Calls that never entered the kernel because a filter answered them: name -> errno's name -> how often. Absent where
   * there were none.
   */
  readonly refused?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly certificate: Certificate;
  readonly partialReasons: readonly PartialReason[];
  /** With monitoring `arguments` and `files`: the uses, and the most tasks that were alive at once. */
  readonly arguments?: readonly ArgumentUse[];
  readonly peakTasks?: number;
  /** With monitoring `files`. */
  readonly files?: readonly FileUse[];
  readonly sockets?: readonly SocketUse[];
}
