/** Everything that watches one executor run from outside: attached at the gate, finished when the container has ended. */
import { isTrace, type Recording } from '#lib/profiles';
import { ExecutionError } from '../execution-error.js';
import { type ExecutorRunRequest, TRACE_MAXIMUM_BYTES, type TraceSummary } from '../executor-run.js';
import { nodeArchitecture } from '../node-architecture.js';
import { RecorderError } from './recorder-error.js';
import { type Recorder } from './recorder.js';
import { lostRecording } from './recording.js';
import { Strace } from './strace.js';
import { TraceArtifact, type TraceSink } from './trace-artifact.js';

export interface Observed {
  readonly recording?: Recording;
  readonly trace?: TraceSummary;
}

export interface Observers {
  readonly recorder: Recorder | undefined;
  readonly onTrace: TraceSink;
  /** Of porin-init; asked only where something is attached to it. */
  readonly pid: () => Promise<number>;
}

/** strace ends with the last process that it traces. */
const STRACE_TIMEOUT_MS = 60_000;

export class Observation {
  #lost: RecorderError | undefined;

  private constructor(
    private readonly runId: string,
    private readonly recorder: Recorder | undefined,
    private readonly strace: Strace | undefined,
  ) {
    void recorder?.lost.then((error) => (this.#lost = error));
  }

  /**
   * Attaches what the request asks for.
   *
   * @throws RecorderError, ExecutionError recorder-lost
   */
  static async attach(request: ExecutorRunRequest, observers: Observers): Promise<Observation> {
    const { monitoring } = request.level;
    if (monitoring === 'none') return new Observation(request.runId, undefined, undefined);
    if (isTrace(monitoring)) {
      const artifact = new TraceArtifact(request.limits.traceBytes ?? TRACE_MAXIMUM_BYTES, observers.onTrace);
      return new Observation(request.runId, undefined, await attachStrace(artifact, await observers.pid()));
    }
    await observers.recorder?.arm(request.runId, await observers.pid(), monitoring);
    return new Observation(request.runId, observers.recorder, undefined);
  }

  /** The last look before the gate opens: what is lost after that makes the recording partial. */
  throwIfLost(): void {
    if (this.#lost) throw this.#lost;
  }

  async finish(end: { readonly payloadEndedOnItsOwn: boolean }): Promise<Observed> {
    return {
      ...(this.recorder && { recording: await this.#finishRecording(this.recorder, end) }),
      ...(this.strace && { trace: await this.strace.finish(STRACE_TIMEOUT_MS) }),
    };
  }

  /** Nothing was run, or nothing will be reported. */
  async drop(): Promise<void> {
    await this.recorder?.disarm(this.runId).catch(() => undefined);
    await this.strace?.drop();
  }

  async #finishRecording(recorder: Recorder, end: { readonly payloadEndedOnItsOwn: boolean }): Promise<Recording> {
    try {
      return await recorder.finish(this.runId, end);
    } catch (error) {
      if (!(error instanceof RecorderError)) throw error;
      return lostRecording({ architecture: nodeArchitecture(), ...end });
    }
  }
}

async function attachStrace(artifact: TraceArtifact, pid: number): Promise<Strace> {
  try {
    return await Strace.attach({ pid, artifact });
  } catch (cause) {
    artifact.drop();
    throw new ExecutionError('recorder-lost', `The run was to be traced: ${(cause as Error).message}`, { cause });
  }
}
