/** The request for one executor run and the report of it: what run-executor takes and gives. */
import {
  type Architecture,
  type CompiledFilter,
  type LandlockRules,
  type LandlockStatus,
  type Level,
  type Recording,
} from '#lib/profiles';

export interface Mount {
  /** Path on the host. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface RunLimits {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /**
   * Bytes the payload may write below `scratchDirectory`, which is held to it from outside. Each tmpfs (/tmp, unless
   * mounted; the image's VOLUMEs) is held to it, and to half of the memory.
   */
  readonly diskBytes: number;
  /** Processes and threads of the payload. */
  readonly pids: number;
  readonly wallTimeMs: number;
  /** Bytes kept per stream; the rest is dropped and counted. */
  readonly logBytes: number;
  /** Bytes of a trace, compressed, at which it is cut. Default TRACE_MAXIMUM_BYTES. */
  readonly traceBytes?: number;
}

export const TRACE_MAXIMUM_BYTES = 64 * 1024 ** 2;

export interface ExecutorRunRequest {
  /** UUID; names the container, its cgroup, socket and labels. */
  readonly runId: string;
  /** Labels of ours on the container, at least `porin.job`, `porin.attempt`, `porin.node`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Engine image id (`sha256:<hex>`). */
  readonly imageId: string;
  /** Paths of the image's VOLUMEs (ResolvedImage.volumes): each is covered, or its content would be on the engine's disk. */
  readonly imageVolumes: readonly string[];
  /** The whole argument vector; empty means the image's own entrypoint and command. */
  readonly command: readonly string[];
  /** Over the image's own. */
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path in the container; the image's own where absent. */
  readonly workingDirectory?: string;
  /** Absolute path in the container of a regular file, and none of its parts a link; absent: there is nothing to read. */
  readonly standardInput?: string;
  /** The user of this attempt's slot, also the owner of scratch and outputs. */
  readonly uid: number;
  readonly gid: number;
  readonly limits: RunLimits;
  /** CPUs to pin to, in the kernel's list format ("0" or "0-3"). */
  readonly cpuset?: string;
  readonly mounts: readonly Mount[];
  /** Host directory below which the payload's writable mounts lie: `Scratch.path`, a file system of `diskBytes`. */
  readonly scratchDirectory: string;
  readonly level: Level;
  /** The programs for the level: `compileFilter` with the profile for audit and enforce, the ceiling alone for none. */
  readonly filter: CompiledFilter;
  /** The files that the payload may use; absent where the profile does not say, and then nothing is refused. */
  readonly landlock?: LandlockRules;
  /** What the kernel must hold of `landlock`, or nothing is run. */
  readonly landlockMinimum?: LandlockStatus;
  /** Refused calls that end the payload; absent: none does. */
  readonly denialStops?: DenialStops;
}

/** Which calls that porin-init refuses and reports end the payload at once, by force. */
export interface DenialStops {
  /** The first of class `dangerous` does; see denialClass. */
  readonly dangerous: boolean;
  /** So many of any class do. */
  readonly storm?: StormTerms;
}

/** A rate of refused calls, and for how many seconds, one after another, it has to be reached. */
export interface StormTerms {
  readonly perSecond: number;
  readonly seconds: number;
}

/** Why the payload did not end on its own; `disk-limit` also where it ended for want of disk. */
export const STOP_REASONS = [
  'dangerous-call',
  'denial-storm',
  'wall-time',
  'disk-limit',
  'canceled',
  'lease-lost',
  'draining',
  'control-channel',
] as const;
export type StopReason = (typeof STOP_REASONS)[number];
/** Those of `denialStops`. */
export type DenialStopReason = Extract<StopReason, 'dangerous-call' | 'denial-storm'>;

/** One call outside the profile, deduplicated by call and argument shape. */
export interface Denial {
  readonly call: string;
  readonly number: number;
  readonly architecture: string;
  readonly action: 'refused' | 'continued' | 'killed';
  /** Errno given to the payload, by name; absent when continued or killed. */
  readonly errno?: string;
  /** As many as the call takes, six of a call without a name: 64-bit hexadecimal strings ("0x..."). */
  readonly arguments: readonly string[];
  /** The call with the arguments that tell one use of it from another, in words where they are known. */
  readonly description: string;
  readonly count: number;
}

/**
 * From the payload's execve to the end of its last process, on porin-init's clock (CLOCK_MONOTONIC); the other figures are of
 * the payload and all its descendants that were waited for (getrusage RUSAGE_CHILDREN). User and system together are
 * never more than wall time on every core; which of both a short time is counted as, the timer's ticks decide.
 */
export interface PayloadUsage {
  readonly wallUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssBytes: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** 32-bit ABIs of the machines that Porin runs on: their calls are refused, so none of their programs can run. */
export const FOREIGN_ABIS = ['i386', 'x32', 'arm'] as const;

/** A program that cannot run here, because it was built for another ABI. */
export interface ForeignProgram {
  readonly abi: (typeof FOREIGN_ABIS)[number];
  /** In the container; as it was given where the kernel did not execute it at all. */
  readonly path: string;
}

export type ExecutorOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: number; readonly oomKilled: boolean }
  | { readonly kind: 'stopped'; readonly reason: StopReason }
  /** The payload could not be executed, its own fault: the working directory, the standard input, the search in PATH, or execve failed. */
  | { readonly kind: 'exec-failed'; readonly stage: 'directory' | 'stdin' | 'lookup' | 'exec'; readonly errno: string };

/** What the kernel counted in the container's cgroup. */
export interface LimitHits {
  /** Processes and threads refused because of `limits.pids`. */
  readonly refusedForks: number;
  /** Processes killed because of `limits.memoryBytes`. */
  readonly oomKills: number;
}

export interface ExecutorRunReport {
  readonly outcome: ExecutorOutcome;
  readonly level: Level;
  /** Milliseconds; together the whole run. `payload` is wall time between started and exited as the worker saw it. */
  readonly phasesMs: {
    readonly create: number;
    readonly start: number;
    readonly payload: number;
    readonly remove: number;
  };
  /** Absent when porin-init could not report (stopped hard, or exec failed). */
  readonly usage?: PayloadUsage;
  /** In the order in which they first happened: the index of a denial is its position in the database. */
  readonly denials: readonly Denial[];
  /** Denied calls that are in none of the denials, because the report is bounded. */
  readonly denialsDropped: number;
  /** With a DenialStopReason: the call that was the reason; of a storm the one that grew most. */
  readonly stoppedBy?: Denial;
  /** The first that was executed or was to be, whatever the payload made of its failure; the recording is then partial. */
  readonly foreignProgram?: ForeignProgram;
  readonly recording?: Recording;
  /** Absent after exit code 0, where the payload did not end on its own or did not start, and where the host does not tell. */
  readonly limitHits?: LimitHits;
  /** With monitoring `trace` and `trace-notify`; its bytes went to `onTrace`. */
  readonly trace?: TraceSummary;
  /** Why the engine could not remove the container, if it could not. */
  readonly removalProblem?: string;
  readonly logs: { readonly stdout: LogSummary; readonly stderr: LogSummary };
  /** What the kernel holds of `landlock`; absent where nothing was executed. */
  readonly landlockStatus?: LandlockStatus;
  readonly sandbox: { readonly initVersion: string; readonly kernel: string; readonly landlockAbi: number };
}

export interface LogSummary {
  readonly bytes: number;
  readonly droppedBytes: number;
}

export interface TraceSummary {
  /** Of the gzip file. */
  readonly bytes: number;
  readonly sha256: string;
  readonly lines: number;
  /** More happened than is in it; its last line says why. */
  readonly truncated: boolean;
}

export type OutputStream = 'stdout' | 'stderr';
export type LogSink = (stream: OutputStream, chunk: Buffer) => void;
/** Nothing more is read of the payload until the promise is fulfilled. Must not reject. */
export type OutputSink = (stream: OutputStream, chunk: Buffer) => Promise<void>;

/** What this node can do, for its row and for every measurement. */
export interface NodeFacts {
  readonly architecture: Architecture;
  /** Of the machine: how many of a payload's threads may run at once. */
  readonly cores: number;
  readonly kernel: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly cgroup: 'v1' | 'hybrid' | 'v2';
  /** `Speculation_Store_Bypass` of /proc/self/status. */
  readonly speculationStoreBypass: string;
  readonly landlockAbi: number | null;
  readonly initVersion: string;
  /** Absent when BPF cannot be loaded; then `recorderProblem` says why. */
  readonly recorderVersion?: string;
  readonly recorderProblem?: string;
  /** Absent where strace cannot trace a process of another user; then `straceProblem` says why. */
  readonly straceVersion?: string;
  readonly straceProblem?: string;
}
