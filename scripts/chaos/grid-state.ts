/** What chaos looks at in the database and at the APIs: how the jobs stand, and whether the grid is well. */
import { type Grid } from './grid.js';
import { type JobFound } from './verdict.js';

const API_TIMEOUT_MS = 5_000;
const LONGEST_SILENCE_S = 30;

export interface Progress {
  readonly ended: number;
  readonly open: number;
}

export async function progress(grid: Grid): Promise<Progress> {
  const [row] = await grid.query<Progress>(
    'SELECT count(ended_at)::int AS ended, (count(*) - count(ended_at))::int AS open FROM job',
  );
  return row ?? { ended: 0, open: 0 };
}

/** Every job of the grid. */
export function findJobs(grid: Grid): Promise<readonly JobFound[]> {
  return grid.query<JobFound>(
    `SELECT job.id, coalesce(job.idempotency_key, '') AS key, job.state, job.error_code AS "errorCode",
       job.error_message AS "errorMessage", job.waiting_reason AS "waitingReason",
       (SELECT count(*)::int FROM executor_run AS run WHERE run.job_id = job.id AND run.exit_code IS NOT NULL) AS runs,
       output.sha256, output.published_at IS NOT NULL AS "isPublished"
     FROM job LEFT JOIN publication ON publication.job_id = job.id
     LEFT JOIN job_output AS output ON output.job_id = job.id AND output.attempt_number = publication.attempt_number`,
  );
}

/** Of the dispatcher that leads; all programs share this machine's process ids. Undefined while none does. */
export async function leaderPid(grid: Grid): Promise<number | undefined> {
  const [row] = await grid.query<{ pid: number }>(
    `SELECT split_part(holder, '/', 2)::int AS pid FROM dispatcher_lease WHERE expires_at > clock_timestamp()`,
  );
  return row?.pid;
}

interface NodeFound {
  readonly name: string;
  readonly state: string;
  readonly suspectReason: string | null;
  readonly silentS: number;
}

/** In words; empty when every program works. */
export async function whatIsUnwell(grid: Grid): Promise<readonly string[]> {
  const nodes = await grid.query<NodeFound>(
    `SELECT name, state, suspect_reason AS "suspectReason", round(extract(epoch FROM now() - heartbeat_at))::int AS "silentS"
     FROM node ORDER BY name`,
  );
  const leaders = await grid.query('SELECT FROM dispatcher_lease WHERE expires_at > clock_timestamp()');
  const apis = await Promise.all(grid.apiUrls.map(async (url) => ({ url, isReady: await isReady(url) })));
  const missing = grid.nodes.size - nodes.length;
  return [
    ...(missing > 0 ? [`${missing} nodes are not registered`] : []),
    ...nodes
      .filter(({ state, silentS }) => state !== 'READY' || silentS > LONGEST_SILENCE_S)
      .map(({ name, state, silentS }) => `node ${name} is ${state}, last heard of ${silentS} s ago`),
    ...nodes.flatMap(({ name, suspectReason }) =>
      suspectReason === null ? [] : [`node ${name} is suspect: ${suspectReason}`],
    ),
    ...(leaders.length === 0 ? ['no dispatcher leads'] : []),
    ...apis.filter((api) => !api.isReady).map(({ url }) => `the API at ${url} is not ready`),
  ];
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(API_TIMEOUT_MS) }).catch(
    () => undefined,
  );
  return answer?.ok ?? false;
}
