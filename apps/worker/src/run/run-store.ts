/** The database's side of executor runs: how one starts, what it prints and how it ended. */
import { type ArtifactKind, type Attempt, type DenialRow, type ExecutorRun } from '#lib/database';
import { type Recording, recordingDigest } from '#lib/profiles';
import { lost } from '../attempt/lost-attempt.js';
import { type AttemptKey } from '../attempt/attempt-key.js';
import { type NodeCalls } from '../store/node-database.js';

type NewRun = Pick<
  ExecutorRun,
  | 'id'
  | 'position'
  | 'buildId'
  | 'profileVersionId'
  | 'enforcement'
  | 'monitoring'
  | 'selectionReason'
  | 'filterDigest'
  | 'inputsDigest'
  | 'dataDigest'
  | 'nodeFacts'
> & {
  /** Of its attempt, the same for all of its runs. */
  readonly cachedInputs: Attempt['cachedInputs'];
};
type RunResult = Pick<
  ExecutorRun,
  | 'wallUs'
  | 'userUs'
  | 'systemUs'
  | 'maxRssBytes'
  | 'voluntarySwitches'
  | 'involuntarySwitches'
  | 'callCount'
  | 'exitCode'
  | 'signal'
  | 'outcome'
  | 'errorCode'
  | 'landlockStatus'
  | 'denialsDropped'
>;
export type RunDenial = Pick<DenialRow, 'position' | 'call' | 'shape' | 'action' | 'description' | 'count'>;
export interface RunArtifact {
  readonly kind: ArtifactKind;
  readonly bytes: number;
  readonly droppedBytes: number;
  readonly sha256: string;
  readonly truncated: boolean;
}

export interface FinishedRun {
  readonly result: RunResult;
  /** Milliseconds by phase; more may follow with `addPhases`. */
  readonly phasesMs: NonNullable<ExecutorRun['phasesMs']>;
  readonly denials: readonly RunDenial[];
  readonly recording: Recording | undefined;
  readonly artifacts: readonly RunArtifact[];
}

export class RunStore {
  constructor(private readonly database: NodeCalls) {}

  /** False when the profile version is no longer approved: then nothing may be run under it. Throws LostAttemptError. */
  async startRun({ jobId, number }: AttemptKey, run: NewRun): Promise<boolean> {
    const found: { open: boolean; started: boolean } = await this.database.call('node_start_run', {
      jobId,
      number,
      ...run,
    });
    if (!found.open) throw lost({ jobId, number });
    return found.started;
  }

  /** The parts of one kind in order. May be told again of a part that it has. */
  async appendArtifact(runId: string, kind: ArtifactKind, offset: number, content: Buffer): Promise<void> {
    await this.database.call('node_append_artifact', { runId, kind, offset }, content);
  }

  /** While the run goes on. Those that are there get their counts, which only grow. */
  async writeDenials(runId: string, denials: readonly RunDenial[]): Promise<void> {
    await this.database.call('node_write_denials', { runId, denials });
  }

  /** Once; what comes after that changes nothing. */
  async finishRun(runId: string, { recording, ...run }: FinishedRun): Promise<void> {
    await this.database.call('node_finish_run', {
      runId,
      ...run,
      ...(recording && { recording, recordingDigest: recordingDigest(recording) }),
    });
  }

  async addPhases(runId: string, phasesMs: NonNullable<ExecutorRun['phasesMs']>): Promise<void> {
    await this.database.call('node_add_phases', { runId, phasesMs });
  }
}
