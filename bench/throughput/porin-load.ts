/** The jobs of the throughput bench through Porin: submitted over HTTP, awaited in the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '#lib/database';
import { type Load } from './docker-run-load.js';
import { inParallel } from '../measure/in-parallel.js';
import { type Part, type JobTimes } from './throughput-report.js';

const SUBMITTERS = 8;
/** When a job ended, the database knows: looking costs the machine that is measured. */
const POLL_MS = 250;
/** Without a job ending. */
const STALLED_MS = 120_000;

export interface PorinLoadOptions {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly ownerDatabaseUrl: string;
  readonly load: Load;
  readonly stop: AbortSignal;
}

interface JobRow {
  readonly state: string;
  readonly errorMessage: string | null;
  readonly endedAtMs: number | null;
}

export class PorinLoad {
  private constructor(
    private readonly options: PorinLoadOptions,
    private readonly database: Connection,
  ) {}

  static async open(options: PorinLoadOptions): Promise<PorinLoad> {
    const database = new Connection({ connectionString: options.ownerDatabaseUrl });
    await database.connect();
    return new PorinLoad(options, database);
  }

  async close(): Promise<void> {
    await this.database.end();
  }

  /** From the first submission to the last job's end on the database's clock, which is this machine's. */
  async run(jobs: number): Promise<Part & { readonly times: readonly JobTimes[] }> {
    const startedAtMs = Date.now();
    const ids: string[] = [];
    await inParallel(jobs, SUBMITTERS, async () => void ids.push(await this.#submit()));
    const endedAtMs = await this.#allComplete(ids);
    return { jobs, ms: endedAtMs - startedAtMs, times: await this.#timesOf(ids) };
  }

  async #submit(): Promise<string> {
    const { apiUrl, apiKey, load, stop } = this.options;
    const { image, command, cpuMilli, memoryBytes, diskBytes } = load;
    const response = await fetch(`${apiUrl}/api/v1/jobs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ executors: [{ image, command }], resources: { cpuMilli, memoryBytes, diskBytes } }),
      signal: stop,
    });
    if (response.status !== 201) throw new Error(`the API answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { id: string }).id;
  }

  async #allComplete(ids: readonly string[]): Promise<number> {
    for (let open = ids.length, changedAt = Date.now(); ;) {
      this.options.stop.throwIfAborted();
      const { rows } = await this.database.query<JobRow>(
        `SELECT state, error_message AS "errorMessage", extract(epoch FROM ended_at)::float8 * 1000 AS "endedAtMs"
         FROM job WHERE id = ANY($1)`,
        [ids],
      );
      const failed = rows.find(({ state, endedAtMs }) => endedAtMs !== null && state !== 'COMPLETE');
      if (failed) throw new Error(`a job ended ${failed.state}: ${failed.errorMessage}`);
      const stillOpen = rows.filter(({ endedAtMs }) => endedAtMs === null).length;
      if (stillOpen === 0) return Math.max(...rows.map(({ endedAtMs }) => endedAtMs ?? 0));
      if (stillOpen !== open) [open, changedAt] = [stillOpen, Date.now()];
      if (Date.now() - changedAt > STALLED_MS) throw new Error(`no job ends; ${stillOpen} are open`);
      await sleep(POLL_MS);
    }
  }

  /** An executor run's row is written before its container is made. */
  async #timesOf(ids: readonly string[]): Promise<readonly JobTimes[]> {
    const { rows } = await this.database.query<JobTimes>(
      `SELECT extract(epoch FROM run.started_at - job.queued_at)::float8 * 1000
         + (run.phases_ms->>'create')::float8 + (run.phases_ms->>'start')::float8 AS "latencyMs",
         run.phases_ms AS "phasesMs"
       FROM job JOIN executor_run run ON run.job_id = job.id WHERE job.id = ANY($1)`,
      [ids],
    );
    return rows;
  }
}
