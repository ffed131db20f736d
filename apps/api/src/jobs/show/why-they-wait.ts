/** Why QUEUED jobs wait, and what would help, as the dispatcher has seen it a few seconds ago at most. */
import { isWaitingReason, WAITING_REASONS, type WaitingReason } from '#lib/jobs';
import { type EntityManager } from 'typeorm';

export interface WaitingJob {
  readonly id: string;
  readonly waitingReason: string | null;
}

export interface Waiting {
  /** Of the first job of its lane; null before the dispatcher has looked. */
  readonly explanation: string | null;
  /** Jobs of its submitter that go before it, at most one more than are counted; null where it is not in the queue. */
  readonly before: number | null;
  readonly placedOn: string | null;
  /** Until it may be placed; null where it may be now. */
  readonly pauseS: number | null;
}

/** More are not counted. */
const BEFORE_MAXIMUM = 1_000;
/** Where the dispatcher knows more than the reason says. */
const IN_QUEUE: readonly WaitingReason[] = [
  'waiting-for-slot',
  'placing-again',
  'retry-after-lost-worker',
  'retry-after-system-error',
  'retry-after-drain',
];

interface Row extends Waiting {
  readonly id: string;
}

/** By job, in words; null for one that does not wait. */
export async function whyTheyWait(
  manager: EntityManager,
  jobs: readonly WaitingJob[],
): Promise<(job: WaitingJob) => string | null> {
  const queued = jobs.filter(({ waitingReason }) => IN_QUEUE.some((reason) => reason === waitingReason));
  const rows: readonly Row[] =
    queued.length === 0
      ? []
      : await manager.query(`SELECT job.id, ${WAITING} WHERE job.id = ANY ($1::uuid[])`, [queued.map(({ id }) => id)]);
  const known = new Map(rows.map((row) => [row.id, row]));
  return ({ id, waitingReason }) => whyItWaits(waitingReason, known.get(id));
}

/** In words; null for a job that does not wait. */
export function whyItWaits(waitingReason: string | null, waiting: Waiting | null | undefined): string | null {
  if (waitingReason === null || !isWaitingReason(waitingReason)) return null;
  const more = waiting && detail(waiting);
  return more ? `${WAITING_REASONS[waitingReason]}; ${more}` : WAITING_REASONS[waitingReason];
}

/** Whether the dispatcher knows more of a row `job` than its reason says. */
export const IS_IN_QUEUE = `job.waiting_reason IN ('${IN_QUEUE.join("', '")}')`;

/** The members of Waiting, and what of; for a WHERE that says which jobs. */
export const WAITING = `lane.explanation, placed.name AS "placedOn",
    extract(epoch FROM delay.due_at - now())::float8 AS "pauseS",
    CASE WHEN entry.job_id IS NOT NULL THEN (SELECT count(*)::integer FROM (
      SELECT FROM queue_entry AS earlier WHERE earlier.lane_id = entry.lane_id
        AND (earlier.priority, earlier.seq) < (entry.priority, entry.seq) LIMIT ${BEFORE_MAXIMUM + 1}) AS counted) END AS before
  FROM job LEFT JOIN queue_entry AS entry ON entry.job_id = job.id LEFT JOIN lane ON lane.id = entry.lane_id
  LEFT JOIN queue_delay AS delay ON delay.job_id = job.id
  LEFT JOIN node AS placed ON placed.id = job.placed_node_id AND job.dispatched_fence = job.fence AND entry.job_id IS NULL`;

function detail({ explanation, before, placedOn, pauseS }: Waiting): string | null {
  if (pauseS !== null) return `in about ${Math.max(1, Math.ceil(pauseS))} s`;
  if (placedOn !== null) return `it is placed on ${placedOn}, which starts it as soon as it has room`;
  if (before === null || explanation === null) return null;
  if (before === 0) return explanation;
  const count = before > BEFORE_MAXIMUM ? `more than ${BEFORE_MAXIMUM}` : String(before);
  const [jobs, first] = before === 1 ? ['jobs is', 'that one'] : ['jobs are', 'the first of them'];
  return `${count} of your ${jobs} before it; of ${first}: ${explanation}`;
}
