/** The SQL of executor runs: the build that one is of, the profile it runs under, what it prints and how it ended. */
import { type ArtifactKind, type Build, type DenialRow, type ExecutorRun } from '#lib/database';
import { isTrace, type Recording, recordingDigest } from '#lib/profiles';
import { type DataSource } from 'typeorm';
import { lost, OPEN_ATTEMPT } from '../attempt/attempt-store.js';
import { type ApprovedRow, type AttemptKey, type BuildRow, type Claim, type PinnedBuild } from '../attempt/claim.js';

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

  /** The build of an image's content, made by whoever sees it first. */
  async findOrMakeBuild(
    build: Pick<Build, 'applicationId' | 'contentDigest' | 'architecture' | 'imageReference' | 'repositoryDigest'>,
  ): Promise<BuildRow> {
    const known = await this.#findBuild(build);
    if (known) return known;
    await this.dataSource.query(
      `INSERT INTO build (application_id, content_digest, architecture, image_reference, repository_digest)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [build.applicationId, build.contentDigest, build.architecture, build.imageReference, build.repositoryDigest],
    );
    const made = await this.#findBuild(build);
    if (!made) throw new Error(`the build ${build.contentDigest} was not made`);
    return made;
  }

  async #findBuild({
    applicationId,
    contentDigest,
    architecture,
  }: Pick<Build, 'applicationId' | 'contentDigest' | 'architecture'>): Promise<BuildRow | undefined> {
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT id FROM build WHERE application_id = $1 AND content_digest = $2 AND architecture = $3`,
      [applicationId, contentDigest, architecture],
    );
    return rows[0] && { id: rows[0].id, applicationId, contentDigest, architecture };
  }

  /** Stored once: the first one counts, for this attempt and for every later one. Resolves to what is stored. */
  async pinBuild(key: AttemptKey, position: number, buildId: string): Promise<PinnedBuild> {
    const rows: PinnedBuild[] = await this.dataSource.query(
      `WITH open AS (
         SELECT job_id FROM attempt WHERE ${OPEN_ATTEMPT} FOR UPDATE
       ), pinned AS (
         UPDATE executor SET build_id = $4 FROM open WHERE executor.job_id = open.job_id AND position = $3 AND build_id IS NULL
         RETURNING build_id
       ), stored AS (
         SELECT coalesce((SELECT build_id FROM pinned), build_id) AS build_id
         FROM executor JOIN open USING (job_id) WHERE position = $3
       )
       SELECT build.id, content_digest AS "contentDigest", repository_digest AS "repositoryDigest"
       FROM stored JOIN build ON build.id = stored.build_id`,
      [key.jobId, key.number, position, buildId],
    );
    if (!rows[0]) throw lost(key);
    return rows[0];
  }

  async approvedProfile(buildId: string): Promise<ApprovedRow | null> {
    const rows: ApprovedRow[] = await this.dataSource.query(
      `SELECT id, digest, canonical, statement, signature FROM profile_version WHERE build_id = $1 AND state = 'APPROVED'`,
      [buildId],
    );
    return rows[0] ?? null;
  }

  /** False when the profile version is no longer approved: then nothing may be run under it. Throws LostAttemptError. */
  async startRun(claim: Claim, run: NewRun): Promise<boolean> {
    const [found]: [{ open: boolean; started: boolean }] = await this.dataSource.query(
      `WITH open AS (
         SELECT job_id, number FROM attempt WHERE ${OPEN_ATTEMPT} FOR UPDATE
       ), run AS (
         INSERT INTO executor_run (job_id, attempt_number, id, position, build_id, profile_version_id, node_id, enforcement,
           monitoring, selection_reason, filter_digest, inputs_digest, node_facts, calibration, block)
         SELECT job_id, number, $3::uuid, $4, $5, $6::uuid, $7, $8, $9, $10, $11, $12, $13, $14, $15 FROM open
         WHERE $6::uuid IS NULL OR EXISTS (SELECT FROM profile_version WHERE id = $6::uuid AND state = 'APPROVED')
         RETURNING id, job_id
       ), started AS (
         UPDATE job SET state = 'RUNNING' FROM run WHERE job.id = run.job_id AND state = 'INITIALIZING'
       ), artifacts AS (
         INSERT INTO artifact (executor_run_id, kind) SELECT id, kind FROM run, unnest($16::text[]) AS kind
       )
       SELECT EXISTS (SELECT FROM open) AS open, EXISTS (SELECT FROM run) AS started`,
      [
        ...[claim.jobId, claim.number, run.id, run.position, run.buildId, run.profileVersionId, this.nodeId],
        ...[run.enforcement, run.monitoring, run.selectionReason, run.filterDigest, run.inputsDigest, run.nodeFacts],
        ...[claim.calibration, claim.block, artifactKinds(run.monitoring)],
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
           landlock_status = $13, ended_at = now()
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
