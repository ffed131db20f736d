/**
 * The SQL of attempts. Every write to an attempt or a job checks that the attempt is still open, so a lost worker changes
 * nothing of either; what it writes besides is about runs of its own (run-store.ts).
 */
import { ATTEMPT_IS_OPEN, attemptStateOf, type JobError, type WaitingReason } from '#lib/jobs';
import { type Message } from '#lib/queue';
import { type DataSource, type EntityManager } from 'typeorm';
import { APPLICATION_TERMS, type AttemptKey, type Claim, type ClaimedExecutor } from './claim.js';
import { type Renewal } from './lease.js';
import { lost } from './lost-attempt.js';
import { EARLIER_STAGINGS, MANIFEST } from './publication-store.js';
import { type Share } from '../node/resources.js';

export class AttemptStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly options: { nodeId: string; leaseMs: number },
  ) {}

  /** What the message's job asks of the node; undefined when it is not there to be claimed. */
  async peek({ jobId, attempt }: Message): Promise<Share | undefined> {
    const rows: Share[] = await this.dataSource.query(
      `SELECT cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes" FROM job
       WHERE ${CLAIMABLE}`,
      [jobId, attempt, this.options.nodeId],
    );
    return rows[0];
  }

  /** By compare-and-set: of any number of messages for an attempt, forged ones included, at most one claims it. */
  async claim({ jobId, attempt }: Message): Promise<Claim | undefined> {
    return this.dataSource.transaction(async (manager) => {
      const [jobs] = await manager.query<[ClaimedJob[], number]>(
        `UPDATE job SET state = 'INITIALIZING', waiting_reason = NULL, started_at = coalesce(started_at, now())
         WHERE ${CLAIMABLE}
         RETURNING cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes",
           tenant, wall_time_s AS "wallTimeS", inputs, outputs, submitted_role AS role, requested_enforcement AS enforcement,
           requested_monitoring AS monitoring, calibration, block, publish_on AS "publishOn",
           ${MANIFEST} AS manifest, ${EARLIER_STAGINGS} AS stagings, ${TENANT_PREFIXES},
           extract(epoch FROM now() - queued_at)::float8 * 1000 AS "queueMs"`,
        [jobId, attempt, this.options.nodeId],
      );
      const job = jobs[0];
      if (!job) return undefined;
      await manager.query(
        `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at)
         VALUES ($1, $2, $3, 'OPEN', now() + make_interval(secs => $4))`,
        [jobId, attempt, this.options.nodeId, this.options.leaseMs / 1000],
      );
      const { cpuMilli, memoryBytes, diskBytes, enforcement, monitoring, manifest, stagings, ...rest } = job;
      const { inputPrefixes, outputPrefixes, foreignPrefixes, ...claimed } = rest;
      return {
        ...claimed,
        jobId,
        number: attempt,
        share: { cpuMilli, memoryBytes, diskBytes },
        requested: { ...(enforcement && { enforcement }), ...(monitoring && { monitoring }) },
        publication: manifest && { outputs: manifest },
        earlierStagings: stagings.map((staging) => ({ ...staging, outputs: job.outputs })),
        tenantPrefixes: { inputPrefixes, outputPrefixes, foreignPrefixes },
        executors: await executorsOf(manager, jobId),
      };
    });
  }

  /** A lease that has run out is not renewed: the reconciler may be giving the job to another. */
  async renew(key: AttemptKey): Promise<Renewal> {
    const [rows] = await this.dataSource.query<[{ state: string }[], number]>(
      `UPDATE attempt SET lease_expires_at = now() + make_interval(secs => $3)
       FROM job WHERE job.id = $1 AND ${HELD_ATTEMPT} AND lease_expires_at > now() RETURNING job.state`,
      [key.jobId, key.number, this.options.leaseMs / 1000],
    );
    if (!rows[0]) return 'lost';
    return rows[0].state === 'CANCELING' ? 'canceled' : 'held';
  }

  /** Of a job without outputs; see PublicationStore for others. It ends COMPLETE, or CANCELED when a cancel came before. */
  async complete(key: AttemptKey): Promise<void> {
    const ended: unknown[] = await this.dataSource.query(
      `WITH ended AS (
         UPDATE attempt SET state = 'COMPLETE', ended_at = now() FROM job
         WHERE ${OPEN_ATTEMPT} AND job.id = $1 AND job.outputs = '[]' RETURNING job_id
       ), job_ended AS (
         UPDATE job SET state = CASE state WHEN 'RUNNING' THEN 'COMPLETE' ELSE 'CANCELED' END, ended_at = now()
         FROM ended WHERE job.id = ended.job_id AND job.state IN ('RUNNING', 'CANCELING')
       )
       SELECT FROM ended`,
      [key.jobId, key.number],
    );
    if (ended.length === 0) throw lost(key);
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

  /** Gives the job back until what it waits for is there: the API queues it again then. */
  async hold(key: AttemptKey, reason: WaitingReason): Promise<void> {
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

  /**
   * Its payload was refused calls and has ended: the job publishes nothing, and waits for the decision about the next version
   * of the build. It is no failure of the grid's, and the API alone goes on from here.
   */
  async holdForDecision(key: AttemptKey, buildId: string, error: JobError): Promise<void> {
    const reason: WaitingReason = 'waiting-for-profile-decision';
    await this.dataSource.transaction(async (manager) => {
      await endAttempt(manager, key, 'FAILED', error);
      const [, held] = await manager.query<[unknown[], number]>(
        `UPDATE job SET state = 'QUEUED', waiting_reason = $2, held_build_id = $3, held_until = now() + make_interval(days => $4)
         WHERE id = $1 AND state IN ('INITIALIZING', 'RUNNING')`,
        [key.jobId, reason, buildId, HELD_DAYS],
      );
      if (held === 1) return;
      await manager.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE id = $1 AND state = 'CANCELING'`, [
        key.jobId,
      ]);
    });
  }
}

/** How long a job waits for the decision about what it was refused. */
const HELD_DAYS = 7;

interface ClaimedJob extends Share {
  readonly tenant: string;
  readonly wallTimeS: number;
  readonly inputs: Claim['inputs'];
  readonly outputs: Claim['outputs'];
  readonly role: Claim['role'];
  readonly enforcement: Claim['requested']['enforcement'] | null;
  readonly monitoring: Claim['requested']['monitoring'] | null;
  readonly calibration: string | null;
  readonly block: number | null;
  readonly queueMs: number;
  readonly publishOn: Claim['publishOn'];
  readonly manifest: NonNullable<Claim['publication']>['outputs'] | null;
  readonly stagings: readonly Omit<Claim['earlierStagings'][number], 'outputs'>[];
  readonly inputPrefixes: readonly string[] | null;
  readonly outputPrefixes: readonly string[] | null;
  readonly foreignPrefixes: readonly string[];
}

/** The build of an executor: its columns are null together while nothing is stored. */
interface Stored {
  readonly buildId: string | null;
  readonly contentDigest: string;
  readonly repositoryDigest: string | null;
}

/** $1 job, $2 attempt, $3 node. Fence and dispatched fence agree only while this attempt is placed on the node. */
const CLAIMABLE = `id = $1 AND state = 'QUEUED' AND fence = $2 AND dispatched_fence = $2 AND placed_node_id = $3
  AND NOT EXISTS (SELECT FROM attempt WHERE job_id = job.id AND number = job.fence)`;
/** Columns of `job`: what the tenant's jobs may name, and what is other tenants' alone. */
const TENANT_PREFIXES = `
  (SELECT input_prefixes FROM tenant_setting WHERE tenant = job.tenant) AS "inputPrefixes",
  (SELECT output_prefixes FROM tenant_setting WHERE tenant = job.tenant) AS "outputPrefixes",
  ARRAY(SELECT unnest(coalesce(input_prefixes, '{}') || coalesce(output_prefixes, '{}')) FROM tenant_setting
    WHERE tenant <> job.tenant) AS "foreignPrefixes"`;
/** $1 job, $2 attempt. */
export const OPEN_ATTEMPT = `attempt.job_id = $1 AND attempt.number = $2 AND attempt.state = 'OPEN'`;
/** The same for one that may be publishing. */
const HELD_ATTEMPT = `attempt.job_id = $1 AND attempt.number = $2 AND ${ATTEMPT_IS_OPEN}`;

async function executorsOf(manager: EntityManager, jobId: string): Promise<Claim['executors']> {
  const rows: (Omit<ClaimedExecutor, 'build'> & Stored)[] = await manager.query(
    `SELECT position, ${APPLICATION_TERMS}, executor.image, command, environment,
       working_directory AS "workingDirectory", build_id AS "buildId", content_digest AS "contentDigest",
       repository_digest AS "repositoryDigest"
     FROM executor JOIN application ON application.id = executor.application_id LEFT JOIN build ON build.id = build_id
     WHERE job_id = $1 ORDER BY position`,
    [jobId],
  );
  const [first, ...rest] = rows.map(({ buildId: id, contentDigest, repositoryDigest, ...executor }) => ({
    ...executor,
    build: id === null ? null : { id, applicationId: executor.applicationId, contentDigest, repositoryDigest },
  }));
  if (!first) throw new Error(`the job ${jobId} has no executor`);
  return [first, ...rest];
}

async function endAttempt(manager: EntityManager, key: AttemptKey, state: string, error?: JobError): Promise<void> {
  const [, ended] = await manager.query<[unknown[], number]>(
    `UPDATE attempt SET state = $3, ended_at = now(), error_code = $4, error_message = $5 WHERE ${OPEN_ATTEMPT}`,
    [key.jobId, key.number, state, error?.code ?? null, error?.message ?? null],
  );
  if (ended !== 1) throw lost(key);
}
