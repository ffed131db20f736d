/** One round of placement in the database: takes off what nobody claims, and places what may go, in order of priority and age. */
import { JobError } from '#lib/jobs';
import { type Message } from '#lib/queue';
import { type EntityManager } from 'typeorm';
import {
  ASKED,
  inFlight,
  markUnresponsive,
  ON_ITS_WAY,
  type Placed,
  type ReadyNode,
  readyNodes,
  SHARE,
  takeOff,
  TAKES_JOBS,
} from './in-flight.js';
import { type Patience } from './patience.js';
import { type Candidate, lackingEverywhere, place } from './place.js';
import { Room, type Share } from './room.js';

export type Dispatch = Message & { readonly nodeId: string };

export interface Round {
  /** To be added to the queues after the commit. A crash in between is mended by `possiblyLost`. */
  readonly placed: readonly Dispatch[];
  /** Their messages are stale. */
  readonly takenOff: readonly Dispatch[];
  /** Some of `takenOff` were left by these nodes, which had room. */
  readonly leftBy: readonly string[];
}

/** Bounds one round; the rest follows in the next. */
const CANDIDATES_MAXIMUM = 500;
/** A job that waits longer and fits nowhere has a node reserved. */
const RESERVE_AFTER_S = 60;

/** Of outbox rows: the job may go now. */
const MAY_GO = `outbox.dispatched_at IS NULL AND outbox.not_before <= now() AND job.state = 'QUEUED'`;

interface CandidateRow extends Candidate {
  readonly fence: number;
}

export async function placeJobs(manager: EntityManager, patience: Patience): Promise<Round> {
  const nodes = await readyNodes(manager);
  const { running, placed } = await inFlight(manager);
  const roomsWith = (still: readonly Placed[]) => nodes.map((node) => roomOf(node, running, still));
  const { silent, unclaimed, behind } = patience.judge(placed, roomsWith(placed), performance.now());
  const off = new Set([
    ...(await takeOff(manager, [...silent, ...unclaimed], 'placing-again')),
    ...(await takeOff(manager, behind, 'waiting-for-slot')),
  ]);
  const leftBy = [...new Set(unclaimed.filter(({ jobId }) => off.has(jobId)).map(({ nodeId }) => nodeId))];
  await markUnresponsive(manager, leftBy);
  // Who just left a job shall first report again.
  const rooms = roomsWith(placed.filter(({ jobId }) => !off.has(jobId))).filter(
    ({ node }) => !leftBy.includes(node.id),
  );
  const takenOff = placed
    .filter(({ jobId }) => off.has(jobId))
    .map(({ jobId, fence, nodeId }) => ({ jobId, attempt: fence, nodeId }));
  return { placed: await placeCandidates(manager, rooms), takenOff, leftBy };
}

/** Dispatched some time ago, claimed by nobody: Redis may have lost the message. Adding one twice is harmless. */
export async function possiblyLost(manager: EntityManager, olderThanS: number): Promise<Dispatch[]> {
  return manager.query(
    `SELECT job.id AS "jobId", job.fence AS attempt, job.placed_node_id AS "nodeId"
     FROM job WHERE ${ON_ITS_WAY} AND job.placed_at < now() - make_interval(secs => $1)
     ORDER BY job.placed_at, job.id LIMIT 1000`,
    [olderThanS],
  );
}

function roomOf(node: ReadyNode, running: readonly (Share & { nodeId: string })[], placed: readonly Placed[]): Room {
  const here = <T extends { readonly nodeId: string }>(all: readonly T[]) =>
    all.filter(({ nodeId }) => nodeId === node.id);
  return new Room({ ...node, running: here(running), placed: here(placed) });
}

async function placeCandidates(manager: EntityManager, rooms: readonly Room[]): Promise<Dispatch[]> {
  const candidates = await findCandidates(manager, rooms);
  const nodeOf = new Map(place(candidates, rooms).map(({ jobId, nodeId }) => [jobId, nodeId]));
  const chosen = candidates.flatMap(({ jobId, fence }) => {
    const nodeId = nodeOf.get(jobId);
    return nodeId === undefined ? [] : [{ jobId, fence, nodeId }];
  });
  return chosen.length === 0 ? [] : mark(manager, chosen);
}

/**
 * Jobs that a node may have room for now, the first of them first; and of each architecture the first that waits for too long
 * and fits nowhere yet. Jobs that no node has room for hide nobody behind them.
 */
async function findCandidates(manager: EntityManager, rooms: readonly Room[]): Promise<CandidateRow[]> {
  const free = rooms.flatMap((room) => {
    const largest = room.largest();
    return largest ? [{ architecture: room.node.architecture, ...largest }] : [];
  });
  if (free.length === 0) return [];
  const columns = `job.id AS "jobId", job.fence, job.architecture, job.placed_node_id AS "lastNodeId", ${BOUND_NODE} AS "boundNodeId", job.priority, job.queued_at, ${SHARE}`;
  const isOverdue = `job.queued_at < now() - make_interval(secs => ${RESERVE_AFTER_S})`;
  return manager.query(
    `(SELECT ${columns}, ${isOverdue} AS overdue FROM ${WAITING}
      WHERE ${MAY_GO} AND ${fitsOneOf('$1')} ORDER BY ${ORDER} LIMIT ${CANDIDATES_MAXIMUM})
     UNION ALL
     (SELECT DISTINCT ON (job.architecture) ${columns}, true FROM ${WAITING}
      WHERE ${MAY_GO} AND ${isOverdue} AND NOT ${fitsOneOf('$1')} AND ${fitsOneOf('$2')} ORDER BY job.architecture, ${ORDER})
     ORDER BY priority DESC, queued_at, "jobId"`,
    [JSON.stringify(free), JSON.stringify(rooms.map(({ node }) => node))],
  );
}

/**
 * Staged bytes of outputs are where they were staged: while that node reports, or has just gone to be started again, no other one
 * publishes them.
 */
const BOUND_NODE = `CASE WHEN job.publishing_since IS NOT NULL THEN (
  SELECT origin.id FROM publication JOIN node AS origin ON origin.id = publication.node_id
  WHERE publication.job_id = job.id AND origin.heartbeat_at > now() - interval '20 s') END`;
const WAITING = `outbox JOIN job ON job.id = outbox.job_id AND job.fence = outbox.attempt_number`;
const ORDER = `job.priority DESC, job.queued_at, job.id`;

function fitsOneOf(parameter: string): string {
  return `EXISTS (SELECT FROM jsonb_to_recordset(${parameter}) AS room(architecture text, "cpuMilli" float8, "memoryBytes" float8, "diskBytes" float8)
    WHERE room.architecture = job.architecture AND room."cpuMilli" >= ${ASKED.cpuMilli}
      AND room."memoryBytes" >= ${ASKED.memoryBytes} AND room."diskBytes" >= ${ASKED.diskBytes})`;
}

/** In the order of `chosen`. Jobs that were canceled meanwhile are left out. */
async function mark(
  manager: EntityManager,
  chosen: readonly { jobId: string; fence: number; nodeId: string }[],
): Promise<Dispatch[]> {
  const rows: Dispatch[] = await manager.query(
    `WITH placed AS (
       UPDATE job SET dispatched_fence = job.fence, placed_node_id = chosen."nodeId", placed_at = clock_timestamp()
       FROM jsonb_to_recordset($1) AS chosen("jobId" uuid, fence int, "nodeId" uuid)
       WHERE job.id = chosen."jobId" AND job.fence = chosen.fence AND job.state = 'QUEUED' RETURNING job.id, job.fence, job.placed_node_id
     ), sent AS (
       UPDATE outbox SET dispatched_at = now() FROM placed WHERE outbox.job_id = placed.id AND outbox.attempt_number = placed.fence
     )
     SELECT id AS "jobId", fence AS attempt, placed_node_id AS "nodeId" FROM placed`,
    [JSON.stringify(chosen)],
  );
  const placed = new Map(rows.map((row) => [row.jobId, row]));
  return chosen.flatMap(({ jobId }) => placed.get(jobId) ?? []);
}

const RESOURCE_WORDS: Readonly<Record<keyof Share, string>> = {
  cpuMilli: 'CPU (cpuMilli)',
  memoryBytes: 'memory (memoryBytes)',
  diskBytes: 'disk (diskBytes)',
};

/**
 * Ends the jobs that no node has room for when it is idle, those included that are away for less than a day. While no node of
 * the architecture takes jobs, its jobs wait. One whose payload has ended asks for nothing any more: see `endOverduePublications`.
 */
export async function endTooLarge(manager: EntityManager): Promise<void> {
  const known: (Share & { architecture: string; takesJobs: boolean })[] = await manager.query(
    `SELECT architecture, cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes",
       ${TAKES_JOBS} AS "takesJobs"
     FROM node WHERE heartbeat_at > now() - interval '1 day'`,
  );
  const architectures = [
    ...new Set(known.filter(({ takesJobs }) => takesJobs).map(({ architecture }) => architecture)),
  ];
  if (architectures.length === 0) return;
  const jobs: (Share & { jobId: string; fence: number; architecture: string })[] = await manager.query(
    `SELECT job.id AS "jobId", job.fence, job.architecture, ${SHARE} FROM ${WAITING}
     WHERE ${MAY_GO} AND job.publishing_since IS NULL AND job.architecture = ANY($1) AND NOT ${fitsOneOf('$2')} ORDER BY outbox.id LIMIT ${CANDIDATES_MAXIMUM}`,
    [architectures, JSON.stringify(known)],
  );
  for (const job of jobs) {
    const lacking = lackingEverywhere(
      job,
      known.filter(({ architecture }) => architecture === job.architecture),
    );
    if (lacking)
      await endJob(manager, job, JobError.of('resources-unavailable', { resource: RESOURCE_WORDS[lacking] }));
  }
}

async function endJob(
  manager: EntityManager,
  { jobId, fence }: { jobId: string; fence: number },
  error: JobError,
): Promise<void> {
  await manager.query(
    `UPDATE job SET state = $3, ended_at = now(), error_code = $4, error_message = $5 WHERE id = $1 AND fence = $2 AND state = 'QUEUED'`,
    [jobId, fence, error.entry.finalState, error.code, error.message],
  );
}
