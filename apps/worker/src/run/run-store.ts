/** The SQL of executor runs: how one starts, what it prints and how it ended. */
import { type ArtifactKind, type DenialRow, type ExecutorRun } from '#lib/database';
import { isTrace, type Recording, recordingDigest } from '#lib/profiles';
import { type DataSource } from 'typeorm';
import { OPEN_ATTEMPT } from '../attempt/attempt-store.js';
import { type Claim } from '../attempt/claim.js';
import { lost } from '../attempt/lost-attempt.js';

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
>;
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
  constructor(
    private readonly dataSource: DataSource,
    private readonly nodeId: string,
  ) {}

  /** False when the profile version is no longer approved: then nothing may be run under it. Throws LostAttemptError. */
  async startRun(claim: Claim, run: NewRun): Promise<boolean> {
    const [found]: [{ open: boolean; started: boolean }] = await this.dataSource.query(
      `WITH open AS (
         SELECT job_id, number FROM attempt WHERE ${OPEN_ATTEMPT} FOR UPDATE
       ), run AS (
         INSERT INTO executor_run (job_id, attempt_number, id, position, build_id, profile_version_id, node_id, enforcement,
           monitoring, selection_reason, filter_digest, inputs_digest, data_digest, node_facts, calibration, block)
         SELECT job_id, number, $3::uuid, $4, $5, $6::uuid, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM open
         WHERE $6::uuid IS NULL OR EXISTS (SELECT FROM profile_version WHERE id = $6::uuid AND state = 'APPROVED')
         RETURNING id, job_id
       ), started AS (
         UPDATE job SET state = 'RUNNING' FROM run WHERE job.id = run.job_id AND state = 'INITIALIZING'
       ), artifacts AS (
         INSERT INTO artifact (executor_run_id, kind) SELECT id, kind FROM run, unnest($17::text[]) AS kind
       )
       SELECT EXISTS (SELECT FROM open) AS open, EXISTS (SELECT FROM run) AS started`,
      [
        ...[claim.jobId, claim.number, run.id, run.position, run.buildId, run.profileVersionId, this.nodeId],
        ...[run.enforcement, run.monitoring, run.selectionReason, run.filterDigest, run.inputsDigest, run.dataDigest],
        ...[run.nodeFacts, claim.calibration, claim.block, artifactKinds(run.monitoring)],
      ],
    );
    if (!found.open) throw lost(claim);
    return found.started;
  }

  /** May be told again of a chunk that it has. */
  async appendArtifact(runId: string, kind: ArtifactKind, offset: number, content: Buffer): Promise<void> {
    await this.dataSource.query(
      `WITH artifact AS (SELECT id FROM artifact WHERE executor_run_id = $1 AND kind = $2)
       INSERT INTO artifact_chunk (artifact_id, byte_offset, content) SELECT id, $3, $4 FROM artifact ON CONFLICT DO NOTHING`,
      [runId, kind, offset, content],
    );
  }

  /** While the run goes on. Those that are there get their counts, which only grow. */
  async writeDenials(runId: string, denials: readonly RunDenial[]): Promise<void> {
    await this.dataSource.query(insertDenials('$1', '$2'), [runId, JSON.stringify(denials)]);
  }

  async finishRun(runId: string, { result, phasesMs, denials, recording, artifacts }: FinishedRun): Promise<void> {
    await this.dataSource.query(
      `WITH run AS (
         UPDATE executor_run SET wall_us = $2, user_us = $3, system_us = $4, max_rss_bytes = $5, voluntary_switches = $6,
           involuntary_switches = $7, call_count = $8, exit_code = $9, signal = $10, outcome = $11, phases_ms = $12,
           landlock_status = $13, denials_dropped = $19, ended_at = now()
         WHERE id = $1
       ), artifacts AS (
         UPDATE artifact SET bytes = ended.bytes, dropped_bytes = ended."droppedBytes", sha256 = ended.sha256,
           truncated = ended.truncated
         FROM jsonb_to_recordset($14) AS ended(kind text, bytes bigint, "droppedBytes" bigint, sha256 text, truncated boolean)
         WHERE executor_run_id = $1 AND artifact.kind = ended.kind
       ), denials AS (
         ${insertDenials('$1', '$15')}
       )
       INSERT INTO recording (executor_run_id, digest, content, partial_reasons)
       SELECT $1, $16, $17::jsonb, $18::text[] WHERE $16::text IS NOT NULL`,
      [
        ...[runId, result.wallUs, result.userUs, result.systemUs, result.maxRssBytes, result.voluntarySwitches],
        ...[result.involuntarySwitches, result.callCount, result.exitCode, result.signal, result.outcome, phasesMs],
        ...[result.landlockStatus, JSON.stringify(artifacts), JSON.stringify(denials)],
        ...[recording ? recordingDigest(recording) : null, recording ?? null, recording?.partialReasons ?? null],
        result.denialsDropped,
      ],
    );
  }

  async addPhases(runId: string, phasesMs: NonNullable<ExecutorRun['phasesMs']>): Promise<void> {
    await this.dataSource.query(`UPDATE executor_run SET phases_ms = phases_ms || $2::jsonb WHERE id = $1`, [
      runId,
      phasesMs,
    ]);
  }
}

/** `run` and `denials`: placeholders of the run's id and of the JSON of RunDenials. */
function insertDenials(run: string, denials: string): string {
  return `INSERT INTO denial (executor_run_id, position, call, shape, action, description, count)
    SELECT ${run}, * FROM jsonb_to_recordset(${denials})
      AS denial(position integer, call text, shape jsonb, action text, description text, count bigint)
    ON CONFLICT (executor_run_id, position) DO UPDATE SET count = greatest(denial.count, excluded.count)`;
}

function artifactKinds(monitoring: ExecutorRun['monitoring']): ArtifactKind[] {
  return ['stdout', 'stderr', ...(isTrace(monitoring) ? (['trace'] as const) : [])];
}
