/** Everything that watches one executor run from outside: attached at the gate, finished when the container has ended. */
import { isTrace, type Monitoring, nodeArchitecture, type Recording } from '#lib/profiles';
import { ExecutionError } from '../execution-error.js';
import { type ExecutorRunRequest, TRACE_MAXIMUM_BYTES, type TraceSummary } from '../executor-run.js';
import { RecorderError } from './recorder-error.js';
import { type Recorder } from './recorder.js';
import { lostRecording } from './recording.js';
import { type ForeignCalls, type Traced } from '../sandbox/control-message.js';
import { withForeignCalls } from './foreign-calls.js';
import { NotifyTrace } from './notify-trace.js';
import { Strace } from './strace.js';
import { TraceArtifact, type TraceSink } from './trace-artifact.js';

export interface Observed {
  readonly recording?: Recording;
  readonly trace?: TraceSummary;
}

export interface Observers {
  readonly recorder: Recorder | undefined;
  readonly onTrace: TraceSink;
  /** Calls so far by name, every second while a recording is on. */
  readonly onCounts?: (calls: Readonly<Record<string, number>>) => void;
  /** Of porin-init; asked only where something is attached to it. */
  readonly pid: () => Promise<number>;
}

export interface PayloadEnding {
  readonly payloadEndedOnItsOwn: boolean;
  /** As porin-init counted them; it has not where it was ended by force. */
  readonly foreignCalls?: Omit<ForeignCalls, 'kind'>;
  /** porin-init's last word on its trace. */
  readonly traced?: Omit<Traced, 'kind'>;
}

interface Attached {
  readonly recorder?: Recorder;
  readonly strace?: Strace;
  readonly notifyTrace?: NotifyTrace;
}

const COUNTS_MS = 1_000;
/** strace ends with the last process that it traces. */
const STRACE_TIMEOUT_MS = 60_000;

export class Observation {
  #lost: RecorderError | undefined;
  #counting: NodeJS.Timeout | undefined;

  private constructor(
    private readonly runId: string,
    private readonly attached: Attached,
  ) {
    void attached.recorder?.lost.then((error) => (this.#lost = error));
  }

  /**
   * Attaches what the request asks for.
   *
   * @throws RecorderError, ExecutionError recorder-lost
   */
  static async attach(request: ExecutorRunRequest, observers: Observers): Promise<Observation> {
    const { monitoring } = request.level;
    const attached = monitoring === 'none' ? {} : await attach(request, monitoring, observers);
    const observation = new Observation(request.runId, attached);
    if (observers.onCounts) observation.#count(observers.onCounts);
    return observation;
  }

  /** Of what porin-init sends with `trace-notify`; absent without it. */
  get onTrace(): ((text: Buffer) => Promise<void>) | undefined {
    const { notifyTrace } = this.attached;
    return notifyTrace && ((text) => notifyTrace.take(text));
  }

  /** The last look before the gate opens: what is lost after that makes the recording partial. */
  throwIfLost(): void {
    if (this.#lost) throw this.#lost;
  }

  async finish({ payloadEndedOnItsOwn, foreignCalls, traced }: PayloadEnding): Promise<Observed> {
    this.#stopCounting();
    const { recorder, strace, notifyTrace } = this.attached;
    const recording = recorder && (await this.#finishRecording(recorder, { payloadEndedOnItsOwn }));
    return {
      ...(recording && { recording: foreignCalls ? withForeignCalls(recording, foreignCalls) : recording }),
      ...(strace && { trace: await strace.finish(STRACE_TIMEOUT_MS) }),
      ...(notifyTrace && { trace: await notifyTrace.finish(traced) }),
    };
  }

  /** Nothing was run, or nothing will be reported. */
  async drop(): Promise<void> {
    this.#stopCounting();
    const { recorder, strace, notifyTrace } = this.attached;
    await recorder?.disarm(this.runId).catch(() => undefined);
    await strace?.drop();
    notifyTrace?.drop();
  }

  /** Whatever fails, the recording at the end tells it. */
  #count(onCounts: (calls: Readonly<Record<string, number>>) => void): void {
    const { recorder } = this.attached;
    if (!recorder) return;
    this.#counting = setTimeout(() => {
      recorder
        .counts(this.runId)
        .then(onCounts, () => undefined)
        .finally(() => this.#counting !== undefined && this.#count(onCounts));
    }, COUNTS_MS);
  }

  #stopCounting(): void {
    clearTimeout(this.#counting);
    this.#counting = undefined;
  }

  async #finishRecording(recorder: Recorder, end: { readonly payloadEndedOnItsOwn: boolean }): Promise<Recording> {
    try {
      return await recorder.finish(this.runId, end);
    } catch (error) {
      if (!(error instanceof RecorderError)) throw error;
      return lostRecording({ architecture: nodeArchitecture(process.arch), ...end });
    }
  }
}

async function attach(
  { runId, limits }: ExecutorRunRequest,
  monitoring: Exclude<Monitoring, 'none'>,
  { recorder, onTrace, pid }: Observers,
): Promise<Attached> {
  if (!isTrace(monitoring)) {
    await recorder?.arm(runId, await pid(), monitoring);
    return recorder ? { recorder } : {};
  }
  const artifact = new TraceArtifact(limits.traceBytes ?? TRACE_MAXIMUM_BYTES, onTrace);
  if (monitoring === 'trace-notify') return { notifyTrace: new NotifyTrace(artifact) };
  return { strace: await attachStrace(artifact, await pid()) };
}

async function attachStrace(artifact: TraceArtifact, pid: number): Promise<Strace> {
  try {
    return await Strace.attach({ pid, artifact });
  } catch (cause) {
    artifact.drop();
    throw new ExecutionError('recorder-lost', `The run was to be traced: ${(cause as Error).message}`, { cause });
  }
}
