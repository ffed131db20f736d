/**
 * All SQL of an attempt. Every write to an attempt or a job checks that the attempt is still open, so a lost worker changes
 * nothing of either; what it writes besides is about runs of its own.
 */
import { type Build, type DenialRow, type ExecutorRun, type JobOutput } from '#lib/database';
import { attemptStateOf, type JobError, type WaitingReason } from '#lib/jobs';
import { type Message } from '#lib/queue';
import { type Architecture, type Recording, recordingDigest } from '#lib/profiles';
import { type DataSource, type EntityManager } from 'typeorm';
import { type ApprovedRow, type AttemptKey, type BuildRow, type Claim, type ClaimedExecutor } from './claim.js';
import { type Renewal } from './lease.js';
import { type LogStream } from './log-writer.js';
import { type Share } from './resources.js';

/** Another attempt holds the job, or nobody does any more. */
export class LostAttemptError extends Error {
  override readonly name = 'LostAttemptError';
}

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
>;

export interface FinishedRun {
  readonly result: RunResult;
  /** Milliseconds by phase; more may follow with `addPhases`. */
  readonly phasesMs: NonNullable<ExecutorRun['phasesMs']>;
  readonly denials: readonly Pick<DenialRow, 'call' | 'shape' | 'action' | 'description' | 'count'>[];
  readonly recording: Recording | undefined;
  readonly logs: Readonly<Record<LogStream, { bytes: number; droppedBytes: number; sha256: string }>>;
}

export class AttemptStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly options: { nodeId: string; leaseMs: number; architecture: Architecture },
  ) {}

  /** What the message's job asks of the node; undefined when it is not there to be claimed. */
  async peek({ jobId, attempt }: Message): Promise<Share | undefined> {
    const rows: Share[] = await this.dataSource.query(
      `SELECT cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes" FROM job
       WHERE ${CLAIMABLE}`,
      [jobId, attempt, this.options.architecture],
    );
    return rows[0];
  }

  /** Whether any node has room for the share when it is idle, one included that is away for maintenance. */
  async anyNodeHas({ cpuMilli, memoryBytes, diskBytes }: Share): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query(
      `SELECT FROM node WHERE heartbeat_at > now() - interval '1 day' AND architecture = $1 AND cpu_milli >= $2 AND memory_bytes >= $3 AND disk_bytes >= $4
       LIMIT 1`,
      [this.options.architecture, cpuMilli, memoryBytes, diskBytes],
    );
    return rows.length > 0;
  }

  /** By compare-and-set: of any number of messages for an attempt, forged ones included, at most one claims it. */
  async claim({ jobId, attempt }: Message): Promise<Claim | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const [jobs] = await manager.query<[ClaimedJob[], number]>(
        `UPDATE job SET state = 'INITIALIZING', waiting_reason = NULL, started_at = coalesce(started_at, now())
         WHERE ${CLAIMABLE}
         RETURNING cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes",
           wall_time_s AS "wallTimeS", inputs, outputs, submitted_role AS role, requested_enforcement AS enforcement,
           requested_monitoring AS monitoring, calibration, block,
           extract(epoch FROM now() - queued_at)::float8 * 1000 AS "queueMs"`,
        [jobId, attempt, this.options.architecture],
      );
      const job = jobs[0];
      if (!job) return undefined;
      await manager.query(
        `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at)
         VALUES ($1, $2, $3, 'OPEN', now() + make_interval(secs => $4))`,
        [jobId, attempt, this.options.nodeId, this.options.leaseMs / 1000],
      );
      const { cpuMilli, memoryBytes, diskBytes, enforcement, monitoring, ...rest } = job;
      return {
        ...rest,
        jobId,
        number: attempt,
        share: { cpuMilli, memoryBytes, diskBytes },
        requested: { ...(enforcement && { enforcement }), ...(monitoring && { monitoring }) },
        executors: await executorsOf(manager, jobId),
      };
    });
  }

  /** A lease that has run out is not renewed: the reconciler may be giving the job to another. */
  async renew(key: AttemptKey): Promise<Renewal> {
    const [rows] = await this.dataSource.query<[{ state: string }[], number]>(
      `UPDATE attempt SET lease_expires_at = now() + make_interval(secs => $3)
       FROM job WHERE job.id = $1 AND ${OPEN} AND lease_expires_at > now() RETURNING job.state`,
      [key.jobId, key.number, this.options.leaseMs / 1000],
    );
    if (!rows[0]) return 'lost';
    return rows[0].state === 'CANCELING' ? 'canceled' : 'held';
  }

  /** Before an output becomes visible. Throws LostAttemptError; the lease is held when it does not. */
  async assertHeld(key: AttemptKey): Promise<void> {
    const sentAt = performance.now();
    const renewal = await this.renew(key);
    // The answer may have lain unread, or the statement waited, for longer than the lease that it gave.
    if (renewal !== 'held' || performance.now() - sentAt > this.options.leaseMs) throw lost(key);
  }

  /** The build of an image's content, made by whoever sees it first. */
  async findOrMakeBuild(
    build: Pick<Build, 'applicationId' | 'contentDigest' | 'architecture' | 'imageReference' | 'repositoryDigest'>,
  ): Promise<BuildRow> {
    await this.dataSource.query(
      `INSERT INTO build (application_id, content_digest, architecture, image_reference, repository_digest)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [build.applicationId, build.contentDigest, build.architecture, build.imageReference, build.repositoryDigest],
    );
    const { applicationId, contentDigest, architecture } = build;
    const rows: { id: string }[] = await this.dataSource.query(
      `SELECT id FROM build WHERE application_id = $1 AND content_digest = $2 AND architecture = $3`,
      [applicationId, contentDigest, architecture],
    );
    return { id: rows[0]?.id ?? '', applicationId, contentDigest, architecture };
  }

  /** Stored once: a later attempt finds what the first one resolved. */
  async pinBuild(jobId: string, position: number, buildId: string): Promise<void> {
    await this.dataSource.query(
      `UPDATE executor SET build_id = $3 WHERE job_id = $1 AND position = $2 AND build_id IS NULL`,
      [jobId, position, buildId],
    );
  }

  async approvedProfile(buildId: string): Promise<ApprovedRow | null> {
    const rows: ApprovedRow[] = await this.dataSource.query(
      `SELECT id, digest, canonical, statement, signature FROM profile_version WHERE build_id = $1 AND state = 'APPROVED'`,
      [buildId],
    );
    return rows[0] ?? null;
  }

  /** False when the profile version is no longer approved: then nothing may be run under it. */
  async startRun(claim: Claim, run: NewRun): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      await requireOpen(manager, claim);
      const started: unknown[] = await manager.query(
        `WITH run AS (
           INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, profile_version_id, node_id, enforcement,
             monitoring, selection_reason, filter_digest, inputs_digest, node_facts, calibration, block)
           SELECT $1, $2, $3, $4, $5, $6::uuid, $7, $8, $9, $10, $11, $12, $13, $14, $15
           WHERE $6::uuid IS NULL OR EXISTS (SELECT FROM profile_version WHERE id = $6::uuid AND state = 'APPROVED')
           RETURNING id, job_id
         ), started AS (
           UPDATE job SET state = 'RUNNING' FROM run WHERE job.id = run.job_id AND state = 'INITIALIZING'
         ), logs AS (
           INSERT INTO artifact (executor_run_id, kind) SELECT id, kind FROM run, unnest(ARRAY['stdout', 'stderr']) AS kind
         )
         SELECT id FROM run`,
        [
          ...[run.id, claim.jobId, claim.number, run.position, run.buildId, run.profileVersionId, this.options.nodeId],
          ...[run.enforcement, run.monitoring, run.selectionReason, run.filterDigest, run.inputsDigest, run.nodeFacts],
          ...[claim.calibration, claim.block],
        ],
      );
      return started.length === 1;
    });
  }

  /** May be told again of a chunk that it has. */
  async appendLog(runId: string, stream: LogStream, offset: number, content: Buffer): Promise<void> {
    await this.dataSource.query(
      `WITH log AS (SELECT id FROM artifact WHERE executor_run_id = $1 AND kind = $2)
       INSERT INTO artifact_chunk (artifact_id, byte_offset, content) SELECT id, $3, $4 FROM log ON CONFLICT DO NOTHING`,
      [runId, stream, offset, content],
    );
  }

  async finishRun(runId: string, { result, phasesMs, denials, recording, logs }: FinishedRun): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.query(
        `UPDATE executor_run SET wall_us = $2, user_us = $3, system_us = $4, max_rss_bytes = $5, voluntary_switches = $6,
           involuntary_switches = $7, call_count = $8, exit_code = $9, signal = $10, outcome = $11, phases_ms = $12, ended_at = now()
         WHERE id = $1`,
        [
          ...[runId, result.wallUs, result.userUs, result.systemUs, result.maxRssBytes, result.voluntarySwitches],
          ...[result.involuntarySwitches, result.callCount, result.exitCode, result.signal, result.outcome, phasesMs],
        ],
      );
      for (const [stream, { bytes, droppedBytes, sha256 }] of Object.entries(logs)) {
        await manager.query(
          `UPDATE artifact SET bytes = $3, dropped_bytes = $4, sha256 = $5 WHERE executor_run_id = $1 AND kind = $2`,
          [runId, stream, bytes, droppedBytes, sha256],
        );
      }
      if (denials.length > 0) {
        await manager.query(
          `INSERT INTO denial (executor_run_id, call, shape, action, description, count)
           SELECT $1, * FROM jsonb_to_recordset($2) AS d(call text, shape jsonb, action text, description text, count bigint)`,
          [runId, JSON.stringify(denials)],
        );
      }
      if (recording) {
        await manager.query(
          `INSERT INTO recording (executor_run_id, digest, content, partial_reasons) VALUES ($1, $2, $3, $4)`,
          [runId, recordingDigest(recording), recording, recording.partialReasons],
        );
      }
    });
  }

  async addPhases(runId: string, phasesMs: NonNullable<ExecutorRun['phasesMs']>): Promise<void> {
    await this.dataSource.query(`UPDATE executor_run SET phases_ms = phases_ms || $2::jsonb WHERE id = $1`, [
      runId,
      phasesMs,
    ]);
  }

  /** The job ends COMPLETE, or CANCELED when a cancel came before this. */
  async complete(key: AttemptKey, outputs: readonly Omit<JobOutput, 'jobId' | 'attemptNumber'>[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await endAttempt(manager, key, 'COMPLETE');
      await manager.query(
        `INSERT INTO job_output (job_id, attempt_number, path, url, sha256, bytes)
         SELECT $1, $2, * FROM jsonb_to_recordset($3) AS o(path text, url text, sha256 text, bytes bigint)`,
        [key.jobId, key.number, JSON.stringify(outputs)],
      );
      await manager.query(
        `UPDATE job SET state = CASE state WHEN 'RUNNING' THEN 'COMPLETE' ELSE 'CANCELED' END, ended_at = now()
         WHERE id = $1 AND state IN ('RUNNING', 'CANCELING')`,
        [key.jobId],
      );
    });
  }

  /** A retryable error leaves the job to the reconciler, which alone makes attempts; any other ends it. */
  async fail(key: AttemptKey, error: JobError): Promise<void> {
    const { finalState, retryable } = error.entry;
    await this.dataSource.transaction(async (manager) => {
      await endAttempt(manager, key, attemptStateOf(error.code), error);
      await manager.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE id = $1 AND state = 'CANCELING'`, [
        key.jobId,
      ]);
      if (retryable || finalState === null) return;
      await manager.query(
        `UPDATE job SET state = $2, error_code = $3, error_message = $4, ended_at = now()
         WHERE id = $1 AND state IN ('INITIALIZING', 'RUNNING')`,
        [key.jobId, finalState, error.code, error.message],
      );
    });
  }

  /** Gives the job back until a profile of its build is approved; the approval queues it again. */
  async hold(key: AttemptKey): Promise<void> {
    const reason: WaitingReason = 'waiting-for-approved-profile';
    await this.dataSource.transaction(async (manager) => {
      await endAttempt(manager, key, 'RELEASED');
      await manager.query(
        `UPDATE job SET state = CASE state WHEN 'CANCELING' THEN 'CANCELED' ELSE 'QUEUED' END,
           ended_at = CASE state WHEN 'CANCELING' THEN now() END,
           waiting_reason = CASE state WHEN 'CANCELING' THEN NULL ELSE $2 END
         WHERE id = $1 AND state IN ('INITIALIZING', 'CANCELING')`,
        [key.jobId, reason],
      );
    });
  }
}

interface ClaimedJob extends Share {
  readonly wallTimeS: number;
  readonly inputs: Claim['inputs'];
  readonly outputs: Claim['outputs'];
  readonly role: Claim['role'];
  readonly enforcement: Claim['requested']['enforcement'] | null;
  readonly monitoring: Claim['requested']['monitoring'] | null;
  readonly calibration: string | null;
  readonly block: number | null;
  readonly queueMs: number;
}

/** $1 job, $2 attempt, $3 architecture. Fence and dispatched fence agree only while the relay has let this attempt go. */
const CLAIMABLE = `id = $1 AND state = 'QUEUED' AND fence = $2 AND dispatched_fence = $2 AND architecture = $3
  AND NOT EXISTS (SELECT FROM attempt WHERE job_id = job.id AND number = job.fence)`;
const OPEN = `attempt.job_id = $1 AND attempt.number = $2 AND attempt.state = 'OPEN'`;

async function executorsOf(manager: EntityManager, jobId: string): Promise<Claim['executors']> {
  const rows: (Omit<ClaimedExecutor, 'build'> & { contentDigest: string | null; repositoryDigest: string | null })[] =
    await manager.query(
      `SELECT position, executor.application_id AS "applicationId", policy, executor.image, command, environment,
         working_directory AS "workingDirectory", content_digest AS "contentDigest", repository_digest AS "repositoryDigest"
       FROM executor JOIN application ON application.id = executor.application_id LEFT JOIN build ON build.id = build_id
       WHERE job_id = $1 ORDER BY position`,
      [jobId],
    );
  const [first, ...rest] = rows.map(({ contentDigest, repositoryDigest, ...executor }) => ({
    ...executor,
    build: contentDigest === null ? null : { contentDigest, repositoryDigest },
  }));
  if (!first) throw new Error(`the job ${jobId} has no executor`);
  return [first, ...rest];
}

async function requireOpen(manager: EntityManager, key: AttemptKey): Promise<void> {
  const rows: unknown[] = await manager.query(`SELECT FROM attempt WHERE ${OPEN} FOR UPDATE`, [key.jobId, key.number]);
  if (rows.length === 0) throw lost(key);
}

async function endAttempt(manager: EntityManager, key: AttemptKey, state: string, error?: JobError): Promise<void> {
  const [, ended] = await manager.query<[unknown[], number]>(
    `UPDATE attempt SET state = $3, ended_at = now(), error_code = $4, error_message = $5 WHERE ${OPEN}`,
    [key.jobId, key.number, state, error?.code ?? null, error?.message ?? null],
  );
  if (ended !== 1) throw lost(key);
}

function lost({ jobId, number }: AttemptKey): LostAttemptError {
  return new LostAttemptError(`attempt ${number} of job ${jobId} is no longer this worker's`);
}
