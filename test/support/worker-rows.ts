/** Writes, as the owner, the rows that the functions for nodes would write: what the API makes of them is under test. */
import { randomUUID } from 'node:crypto';
import { type ArtifactKind } from '#lib/database';
import { FINAL_STATES, JOB_TRANSITIONS, type JobState, type WaitingReason } from '#lib/jobs';
import { type Enforcement, type Monitoring, type PartialReason, type Recording, recordingDigest } from '#lib/profiles';
import pg from 'pg';

export interface AttemptKey {
  readonly jobId: string;
  readonly number: number;
  readonly nodeId: string;
}

export interface RunOptions {
  readonly buildId: string;
  readonly profileVersionId?: string;
  readonly enforcement?: Enforcement;
  readonly monitoring?: Monitoring;
  readonly inputsDigest?: string;
  /** By default as `inputsDigest`. */
  readonly dataDigest?: string;
  readonly position?: number;
}

export interface EndOptions {
  readonly exitCode?: number | null;
  readonly outcome?: string;
  readonly wallUs?: number;
  readonly userUs?: number;
}

export interface DeniedCall {
  readonly call: string;
  /** Default `refused`. */
  readonly action?: 'refused' | 'continued' | 'killed';
  readonly arguments?: readonly string[];
  readonly errno?: string;
  readonly architecture?: string;
  readonly description?: string;
}

export class WorkerRows {
  private constructor(private readonly client: pg.Client) {}

  static async connect(ownerUrl: string): Promise<WorkerRows> {
    const client = new pg.Client({ connectionString: ownerUrl });
    await client.connect();
    return new WorkerRows(client);
  }

  end(): Promise<void> {
    return this.client.end();
  }

  /** Large enough for one job of the default size a slot. */
  async addNode({ slots = 1, monitorings = ['none', 'syscalls'] as string[], architecture = 'x86_64' } = {}) {
    return this.insertReturningId(
      `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
       VALUES ($1, $2, 'READY', $3, $3 * 1000, 1::bigint << 40, 1::bigint << 40, $4, '{"kernel": "6.18"}') RETURNING id`,
      [randomUUID(), architecture, slots, monitorings],
    );
  }

  /** A node's row stays, as its attempts do. */
  async removeNode(id: string): Promise<void> {
    await this.client.query(`UPDATE node SET state = 'GONE' WHERE id = $1`, [id]);
  }

  /** As a worker claims: by the job's present fence. */
  async claim(jobId: string, nodeId: string, { leaseS = 3_600 } = {}): Promise<AttemptKey> {
    const { rows } = await this.client.query<{ number: number }>(
      `INSERT INTO attempt (job_id, number, node_id, state, lease_expires_at)
       SELECT id, fence, $2, 'OPEN', now() + make_interval(secs => $3) FROM job WHERE id = $1 AND state = 'QUEUED'
       RETURNING number`,
      [jobId, nodeId, leaseS],
    );
    const number = rows[0]?.number;
    if (number === undefined) throw new Error(`the job ${jobId} cannot be claimed`);
    await this.client.query(
      `UPDATE job SET state = 'INITIALIZING', waiting_reason = NULL, started_at = now() WHERE id = $1`,
      [jobId],
    );
    return { jobId, number, nodeId };
  }

  /** Nobody sees the one change without the other. */
  private async atOnce(work: () => Promise<void>): Promise<void> {
    await this.client.query('BEGIN');
    try {
      await work();
      await this.client.query('COMMIT');
    } catch (error) {
      await this.client.query('ROLLBACK');
      throw error;
    }
  }

  /** Through whatever states lie between. */
  async setJob(jobId: string, state: JobState, waitingReason: string | null = null): Promise<void> {
    const { rows } = await this.client.query<{ state: JobState }>('SELECT state FROM job WHERE id = $1', [jobId]);
    for (const next of steps(rows[0]?.state ?? state, state)) {
      await this.client.query(
        `UPDATE job SET state = $2, waiting_reason = $3,
           ended_at = CASE WHEN $2 IN ('${FINAL_STATES.join(`', '`)}') THEN now() END
         WHERE id = $1`,
        [jobId, next, waitingReason],
      );
    }
  }

  async endAttempt({ jobId, number }: AttemptKey, state: string, errorCode: string | null = null): Promise<void> {
    await this.client.query(
      `UPDATE attempt SET state = $3, ended_at = now(), error_code = $4, error_message = $5 WHERE job_id = $1 AND number = $2`,
      [jobId, number, state, errorCode, errorCode && `words about ${errorCode}`],
    );
  }

  /** The build of the executor, made when it is new, and written down with the executor. */
  async resolveBuild(jobId: string, contentDigest: string, position = 0): Promise<string> {
    const { rows } = await this.client.query<{ applicationId: string; image: string; architecture: string }>(
      `SELECT application_id AS "applicationId", image, architecture FROM executor JOIN job ON job.id = executor.job_id
       WHERE job_id = $1 AND position = $2`,
      [jobId, position],
    );
    const { applicationId, image, architecture } = rows[0] ?? { applicationId: '', image: '', architecture: '' };
    await this.client.query(
      `INSERT INTO build (application_id, content_digest, architecture, image_reference) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [applicationId, contentDigest, architecture, image],
    );
    const build = await this.client.query<{ id: string }>(
      `SELECT id FROM build WHERE application_id = $1 AND content_digest = $2 AND architecture = $3`,
      [applicationId, contentDigest, architecture],
    );
    const id = build.rows[0]?.id ?? '';
    await this.client.query(`UPDATE executor SET build_id = $3 WHERE job_id = $1 AND position = $2`, [
      jobId,
      position,
      id,
    ]);
    return id;
  }

  async startRun({ jobId, number, nodeId }: AttemptKey, options: RunOptions): Promise<string> {
    const id = randomUUID();
    await this.client.query(
      `INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, profile_version_id, node_id, enforcement,
         monitoring, selection_reason, filter_digest, inputs_digest, data_digest, node_facts)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'because', 'sha256:f', $10, $11, '{}')`,
      [
        ...[id, jobId, number, options.position ?? 0, options.buildId, options.profileVersionId ?? null, nodeId],
        ...[options.enforcement ?? 'none', options.monitoring ?? 'syscalls', options.inputsDigest ?? 'sha256:i'],
        options.dataDigest ?? options.inputsDigest ?? 'sha256:i',
      ],
    );
    return id;
  }

  async endRun(runId: string, options: EndOptions = {}) {
    const { exitCode = 0, outcome = 'exited', wallUs = 1_000_000, userUs = 10 } = options;
    await this.client.query(
      `UPDATE executor_run SET exit_code = $2, outcome = $3, wall_us = $4, user_us = $5, system_us = 5, max_rss_bytes = 4096,
         phases_ms = '{"payload": 7}', ended_at = now() WHERE id = $1`,
      [runId, exitCode, outcome, wallUs, userUs],
    );
  }

  async addRecording(runId: string, recording: Recording): Promise<void> {
    await this.client.query(
      `INSERT INTO recording (executor_run_id, digest, content, partial_reasons) VALUES ($1, $2, $3, $4)`,
      [runId, recordingDigest(recording), JSON.stringify(recording), recording.partialReasons],
    );
  }

  async addDenial(runId: string, denial: DeniedCall): Promise<void> {
    const { call, action = 'refused', arguments: values = [], errno = 'ENOSYS', architecture = 'x86_64' } = denial;
    const shape = { arguments: values, architecture, ...(action === 'refused' && { errno }) };
    await this.client.query(
      `INSERT INTO denial (executor_run_id, position, call, shape, action, description, count)
       SELECT $1, count(*), $2, $3, $4, $5, 3 FROM denial WHERE executor_run_id = $1`,
      [runId, call, JSON.stringify(shape), action, denial.description ?? `${call}()`],
    );
  }

  /** As a worker does where a call was refused: the job publishes nothing and waits for a decision. */
  async holdForDecision(attempt: AttemptKey, buildId: string, days = 7): Promise<void> {
    await this.atOnce(async () => {
      await this.endAttempt(attempt, 'FAILED', 'denied');
      await this.setJob(attempt.jobId, 'QUEUED', 'waiting-for-profile-decision');
      await this.client.query(
        `UPDATE job SET held_build_id = $2, held_until = now() + make_interval(days => $3) WHERE id = $1`,
        [attempt.jobId, buildId, days],
      );
    });
  }

  /** As a worker does that may not start the job: nothing of it was run. */
  hold(attempt: AttemptKey, reason: WaitingReason): Promise<void> {
    return this.endJob(attempt, ['RELEASED'], ['QUEUED', reason]);
  }

  /** The attempt and its job: what the dispatcher finds between the two it mends. */
  endJob(
    attempt: AttemptKey,
    [state, errorCode]: readonly [state: string, errorCode?: string | null],
    [jobState, reason]: readonly [state: JobState, reason?: string],
  ): Promise<void> {
    return this.atOnce(async () => {
      await this.endAttempt(attempt, state, errorCode);
      await this.setJob(attempt.jobId, jobState, reason);
    });
  }

  /** `position`: of its output in the job; by default that of the output which names the path. */
  async addOutput(
    { jobId, number }: AttemptKey,
    output: { path: string; url: string; sha256: string; bytes: number; position?: number },
  ) {
    await this.client.query(
      `INSERT INTO job_output (job_id, attempt_number, path, url, sha256, bytes, published_at, position)
       SELECT $1::uuid, $2::integer, $3, $4, $5, $6::bigint, now(), coalesce($7::integer, (SELECT place - 1
         FROM jsonb_array_elements(job.outputs) WITH ORDINALITY AS asked (given, place) WHERE given->>'path' = $3), 0)
       FROM job WHERE id = $1`,
      [jobId, number, output.path, output.url, output.sha256, output.bytes, output.position],
    );
  }

  async addArtifact(runId: string, kind: ArtifactKind): Promise<string> {
    return this.insertReturningId(`INSERT INTO artifact (executor_run_id, kind) VALUES ($1, $2) RETURNING id`, [
      runId,
      kind,
    ]);
  }

  async addChunk(artifactId: string, byteOffset: number, content: Buffer): Promise<void> {
    await this.client.query(`INSERT INTO artifact_chunk (artifact_id, byte_offset, content) VALUES ($1, $2, $3)`, [
      artifactId,
      byteOffset,
      content,
    ]);
  }

  async setDropped(artifactId: string, droppedBytes: number): Promise<void> {
    await this.client.query(`UPDATE artifact SET dropped_bytes = $2 WHERE id = $1`, [artifactId, droppedBytes]);
  }

  private async insertReturningId(sql: string, values: unknown[]): Promise<string> {
    const { rows } = await this.client.query<{ id: string }>(sql, values);
    return rows[0]?.id ?? '';
  }
}

export function recordingOf(names: readonly string[], partialReasons: readonly PartialReason[] = []): Recording {
  return {
    version: 1,
    architecture: 'x86_64',
    calls: Object.fromEntries(names.map((name) => [name, 2])),
    certificate: {
      ...{ armedBeforeStart: true, started: true, cleanDrain: true, payloadEndedOnItsOwn: true },
      ...{ compatCalls: 0, x32Calls: 0, unknownCalls: 0, ioUringSetups: 0, recursionMisses: 0, mapFailures: 0 },
      ...{ foreignProcesses: 0, supervisorCalls: 4, execs: 1 },
    },
    partialReasons,
  };
}

/** The shortest way from one state to another; the state itself where it stays. */
function steps(from: JobState, to: JobState): readonly JobState[] {
  if (from === to) return [to];
  const ways: JobState[][] = [[from]];
  for (const way of ways) {
    const last = way.at(-1) ?? from;
    if (last === to) return way.slice(1);
    for (const next of JOB_TRANSITIONS[last]) if (!way.includes(next)) ways.push([...way, next]);
  }
  throw new Error(`a job cannot go from ${from} to ${to}`);
}

/** Ends every job, as the reconciler would after a cancel. */
export async function cancelEverything(owner: pg.Client): Promise<void> {
  await owner.query(`UPDATE attempt SET state = 'CANCELED', ended_at = now() WHERE state = 'OPEN'`);
  await owner.query(`UPDATE job SET state = 'CANCELING' WHERE state IN ('INITIALIZING', 'RUNNING')`);
  await owner.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE ended_at IS NULL`);
}
