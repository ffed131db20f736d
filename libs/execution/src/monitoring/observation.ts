/** Everything that watches one executor run from outside: attached at the gate, finished when the container has ended. */
import { type Recording } from '#lib/profiles';
import { ExecutionError } from '../execution-error.js';
import { type ExecutorRunRequest } from '../executor-run.js';
import { nodeArchitecture } from '../node-architecture.js';
import { RecorderError } from './recorder-error.js';
import { type Recorder } from './recorder.js';
import { lostRecording, RECORDING_KINDS } from './recording.js';
import { Strace } from './strace.js';

export interface Observed {
  readonly recording?: Recording;
  readonly traceLines?: number;
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
   * Attaches what the request asks for. `pid` is porin-init's, asked only where something is attached.
   *
   * @throws RecorderError, ExecutionError recorder-lost
   */
  static async attach(
    request: ExecutorRunRequest,
    recorder: Recorder | undefined,
    pid: () => Promise<number>,
  ): Promise<Observation> {
    const { monitoring } = request.level;
    const kind = RECORDING_KINDS.find((each) => each === monitoring);
    const wanted = kind && recorder;
    if (wanted) await wanted.arm(request.runId, await pid(), kind);
    const strace = request.strace ? await attachStrace(request, await pid()) : undefined;
    return new Observation(request.runId, wanted, strace);
  }

  /** The last look before the gate opens: what is lost after that makes the recording partial. */
  throwIfLost(): void {
    if (this.#lost) throw this.#lost;
  }

  async finish(end: { readonly payloadEndedOnItsOwn: boolean }): Promise<Observed> {
    return {
      ...(this.recorder && { recording: await this.#finishRecording(this.recorder, end) }),
      ...(this.strace && { traceLines: await this.strace.finish(STRACE_TIMEOUT_MS) }),
    };
  }

  /** Nothing was run, or nothing will be reported. */
  async drop(): Promise<void> {
    await this.recorder?.disarm(this.runId).catch(() => undefined);
    await this.strace?.finish(0).catch(() => undefined);
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

async function attachStrace(request: ExecutorRunRequest, pid: number): Promise<Strace> {
  try {
    return await Strace.attach({ pid, directory: request.scratchDirectory });
  } catch (cause) {
    throw new ExecutionError('recorder-lost', `The run was to be traced: ${(cause as Error).message}`, { cause });
  }
}
