/** The request for one executor run and the report of it: what run-executor takes and gives. */
import { type Architecture, type Level, type Recording, type CompiledFilter } from '#lib/profiles';

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
  /** Bytes the payload may write below its writable mounts and /tmp together. */
  readonly diskBytes: number;
  readonly pids: number;
  readonly wallTimeMs: number;
  /** Bytes kept per stream; the rest is dropped and counted. */
  readonly logBytes: number;
}

export interface ExecutorRunRequest {
  /** UUID; names the container, its cgroup, socket and labels. */
  readonly runId: string;
  /** Labels of ours on the container, at least `porin.job`, `porin.attempt`, `porin.node`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Engine image id (`sha256:<hex>`). */
  readonly imageId: string;
  /** The whole argument vector; empty means the image's own entrypoint and command. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path in the container; the image's own where absent. */
  readonly workingDirectory?: string;
  /** The user of this attempt's slot, also the owner of scratch and outputs. */
  readonly uid: number;
  readonly gid: number;
  readonly limits: RunLimits;
  /** CPUs to pin to, in the kernel's list format ("0" or "0-3"). */
  readonly cpuset?: string;
  readonly mounts: readonly Mount[];
  /** Host directory below which the payload's writable mounts lie; its size is held to `diskBytes`. */
  readonly scratchDirectory: string;
  readonly level: Level;
  /** The programs for the level: `compileFilter` with the profile for audit and enforce, the ceiling alone for none. */
  readonly filter: CompiledFilter;
  /** Bench only: run under `strace -f` from outside the container. */
  readonly strace?: boolean;
}

/** Why the payload did not end on its own; absent when it did. */
export type StopReason = 'wall-time' | 'disk-limit' | 'canceled' | 'lease-lost' | 'control-channel';

/** One call outside the profile, deduplicated by call and argument shape. */
export interface Denial {
  readonly call: string;
  readonly number: number;
  readonly architecture: string;
  readonly action: 'refused' | 'continued' | 'killed';
  /** Errno given to the payload, by name; absent when continued or killed. */
  readonly errno?: string;
  /** Six scalar arguments as 64-bit hexadecimal strings ("0x..."). */
  readonly arguments: readonly string[];
  /** Arguments in words where they are known (socket family and type, path, clone flags), for people to read. */
  readonly description: string;
  readonly count: number;
}

/** Resource use of the payload and all its descendants (getrusage RUSAGE_CHILDREN), wall time from porin-init's clock. */
export interface PayloadUsage {
  readonly wallUs: number;
  readonly userUs: number;
  readonly systemUs: number;
  readonly maxRssBytes: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

export type ExecutorOutcome =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'signaled'; readonly signal: number; readonly oomKilled: boolean }
  | { readonly kind: 'stopped'; readonly reason: StopReason }
  /** The payload could not be executed: its own fault (errno name, e.g. ENOENT). */
  | { readonly kind: 'exec-failed'; readonly errno: string };

export interface ExecutorRunReport {
  readonly outcome: ExecutorOutcome;
  readonly level: Level;
  /** Milliseconds. `payload` is wall time between started and exited as the worker saw it. */
  readonly phasesMs: {
    readonly create: number;
    readonly start: number;
    readonly payload: number;
    readonly remove: number;
  };
  /** Absent when porin-init could not report (stopped hard, or exec failed). */
  readonly usage?: PayloadUsage;
  readonly denials: readonly Denial[];
  /** Distinct denials dropped because the report is bounded. */
  readonly denialsDropped: number;
  readonly recording?: Recording;
  readonly logs: { readonly stdout: LogSummary; readonly stderr: LogSummary };
  readonly sandbox: { readonly initVersion: string; readonly kernel: string; readonly landlockAbi: number };
}

export interface LogSummary {
  readonly bytes: number;
  readonly droppedBytes: number;
}

export type LogSink = (stream: 'stdout' | 'stderr', chunk: Buffer) => void;

/** What this node can do, for its row and for every measurement. */
export interface NodeFacts {
  readonly architecture: Architecture;
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
}
