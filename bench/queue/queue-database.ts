/** What the queue bench does in the database, as its owner: bounds, queued jobs without end, and when jobs ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, NO_STATEMENT_LIMITS } from '#lib/database';

const CHUNK = 20_000;
const POLL_MS = 250;
/** Without a job ending. */
const STALLED_MS = 120_000;

export class QueueDatabase {
  private constructor(
    private readonly connection: Connection,
    private readonly stop: AbortSignal,
  ) {}

  static async open(ownerUrl: string, stop: AbortSignal): Promise<QueueDatabase> {
    const connection = new Connection({ connectionString: ownerUrl, ...NO_STATEMENT_LIMITS });
    await connection.connect();
    return new QueueDatabase(connection, stop);
  }

  close(): Promise<void> {
    return this.connection.end();
  }

  /** For images of no application, and as many jobs as are wanted. */
  async liftBounds(): Promise<void> {
    await this.connection.query(
      `INSERT INTO tenant_setting (tenant, unknown_content, max_queued_jobs) VALUES ('default', 'learn', 1000000000)
       ON CONFLICT (tenant) DO UPDATE SET unknown_content = 'learn', max_queued_jobs = 1000000000`,
    );
  }

  async queued(): Promise<number> {
    const { rows } = await this.connection.query<{ count: number }>(
      'SELECT count(*)::float8 AS count FROM queue_entry',
    );
    return rows[0]?.count ?? 0;
  }

  /** Until `length` jobs wait: copies of a job, by the function that takes submissions. */
  async fillUp(length: number, jobId: string, log: (message: string) => void): Promise<void> {
    for (;;) {
      this.stop.throwIfAborted();
      const missing = length - (await this.queued());
      if (missing <= 0) break;
      await this.connection.query(
        `WITH given AS (
           SELECT jsonb_build_object('isQueued', true, 'executors',
             (SELECT jsonb_agg(to_jsonb(executor)) FROM executor WHERE job_id = job.id)) AS submission, to_jsonb(job) AS job
           FROM job WHERE id = $1
         )
         SELECT count(porin.submit_job(NULL, submission || jsonb_build_object('job', job || jsonb_build_object('id', id))))
         FROM given, LATERAL (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)) AS made`,
        [jobId, Math.min(CHUNK, missing)],
      );
      log(`queued: ${length - Math.max(0, missing - CHUNK)} of ${length}`);
    }
    // Now, and not while something is measured.
    for (const table of ['job', 'executor', 'queue_entry']) await this.connection.query(`VACUUM (ANALYZE) ${table}`);
    await this.connection.query('CHECKPOINT');
  }

  /** Milliseconds since the epoch at which the next jobs ended, ascending. Throws where one did not end well. */
  async nextEnds(count: number): Promise<readonly number[]> {
    const { rows: since } = await this.connection.query<{ now: string }>('SELECT now()::text AS now');
    for (let seen = -1, changedAt = Date.now(); ;) {
      this.stop.throwIfAborted();
      const { rows } = await this.connection.query<{ state: string; message: string | null; atMs: number }>(
        `SELECT state, error_message AS message, extract(epoch FROM ended_at)::float8 * 1000 AS "atMs"
         FROM job WHERE ended_at > $1 ORDER BY ended_at LIMIT $2`,
        [since[0]?.now, count],
      );
      const failed = rows.find(({ state }) => state !== 'COMPLETE');
      if (failed) throw new Error(`a job ended ${failed.state}: ${failed.message}`);
      if (rows.length === count) return rows.map(({ atMs }) => atMs);
      if (rows.length !== seen) [seen, changedAt] = [rows.length, Date.now()];
      if (Date.now() - changedAt > STALLED_MS) throw new Error(`no job ends; ${rows.length} of ${count} have`);
      await sleep(POLL_MS);
    }
  }

  async untilRunning(jobId: string): Promise<void> {
    await this.#until('SELECT FROM executor_run WHERE job_id = $1 AND started_at IS NOT NULL', jobId);
  }

  /** However it does. */
  async untilEnded(jobId: string): Promise<void> {
    await this.#until('SELECT FROM job WHERE id = $1 AND ended_at IS NOT NULL', jobId);
  }

  async #until(sql: string, jobId: string): Promise<void> {
    for (const deadline = Date.now() + STALLED_MS; Date.now() < deadline; await sleep(POLL_MS)) {
      this.stop.throwIfAborted();
      if ((await this.connection.query(sql, [jobId])).rowCount) return;
    }
    throw new Error(`nothing happens to the job ${jobId}`);
  }

  /** When the job ended, in milliseconds since the epoch. */
  async endOf(jobId: string): Promise<number> {
    for (const deadline = Date.now() + STALLED_MS; Date.now() < deadline; await sleep(20)) {
      this.stop.throwIfAborted();
      const { rows } = await this.connection.query<{ state: string; message: string | null; atMs: number | null }>(
        `SELECT state, error_message AS message, extract(epoch FROM ended_at)::float8 * 1000 AS "atMs"
         FROM job WHERE id = $1`,
        [jobId],
      );
      const [job] = rows;
      if (job?.atMs == null) continue;
      if (job.state !== 'COMPLETE') throw new Error(`a job ended ${job.state}: ${job.message}`);
      return job.atMs;
    }
    throw new Error(`the job ${jobId} does not end`);
  }
}
