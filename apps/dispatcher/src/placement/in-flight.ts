/** What nodes are there to be placed on, what runs on them, and what was placed there and is not claimed: as the database has it. */
import { enqueue } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { type Monitoring } from '#lib/profiles';
import { type Owner } from './fair-share.js';
import { type Held, type PlaceableNode } from './room.js';
import { type Share } from './share.js';

/** A job that was placed and that nobody has claimed. */
export interface Placed extends Held, Owner {
  readonly jobId: string;
  readonly fence: number;
  readonly nodeId: string;
}

/** A node that takes jobs, as far as the database can tell. */
export interface ReadyNode extends Share {
  readonly id: string;
  readonly name: string;
  readonly architecture: string;
  readonly slots: number;
  readonly offeredMonitorings: readonly Monitoring[];
  readonly opensSecrets: boolean;
  readonly turnover: number;
  readonly hesitant: boolean;
  readonly closedBy: PlaceableNode['closedBy'];
  readonly provedAtMs: number | null;
  readonly avoidedBy: readonly string[];
}

/** It was placed and nobody has claimed it. A held job has an attempt at its fence: its placement is spent. */
export const ON_ITS_WAY = `job.state = 'QUEUED' AND job.dispatched_fence = job.fence AND job.placed_node_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = job.fence)`;

/** A node that did not answer must have reported since: a worker that was stopped does not. */
export const TAKES_JOBS = `node.state = 'READY' AND node.heartbeat_at > now() - interval '60 s'
  AND (node.unresponsive_at IS NULL OR node.heartbeat_at > node.unresponsive_at)`;

/** It gets probes and no jobs: by the dispatcher's verdict, or because it says itself that it cannot work. */
export const IS_SUSPECT = `(node.suspect_since IS NOT NULL OR node.ailment IS NOT NULL)`;

/** What a row `job` asks of a node: where its payload has ended and only its outputs are to be put in place, a slot alone. */
const ASKED: Readonly<Record<keyof Share, string>> = askedUnless('job.publishing_since IS NOT NULL');
const SHARE = columns(ASKED);
/** The attempt that ran the payload keeps its share until it ends. */
const HELD_SHARE = columns(askedUnless('attempt.started_at > job.publishing_since'));

function askedUnless(isPublishing: string): Readonly<Record<keyof Share, string>> {
  const asked = (column: string) => `CASE WHEN ${isPublishing} THEN 0 ELSE job.${column} END`;
  return { cpuMilli: asked('cpu_milli'), memoryBytes: asked('memory_bytes'), diskBytes: asked('disk_bytes') };
}

function columns({ cpuMilli, memoryBytes, diskBytes }: Readonly<Record<keyof Share, string>>): string {
  return `${cpuMilli} AS "cpuMilli", (${memoryBytes})::float8 AS "memoryBytes", (${diskBytes})::float8 AS "diskBytes"`;
}

/** A job that ends within this time is short: the next one is sent ahead of its end. */
const SHORT_S = 3;

export interface Nodes {
  readonly nodes: readonly ReadyNode[];
  /** Of the database's clock, milliseconds of the epoch. */
  readonly nowMs: number;
}

/** `sealsSecrets`: whether this dispatcher can. */
export async function readyNodes(manager: EntityManager, sealsSecrets: boolean): Promise<Nodes> {
  const rows: (ReadyNode & { readonly nowMs: number })[] = await manager.query(
    `SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS "nowMs", id, name, architecture, slots,
       offered_monitorings AS "offeredMonitorings", $2 AND sealing_key IS NOT NULL AS "opensSecrets", cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes",
       disk_bytes::float8 AS "diskBytes",
       (SELECT count(*)::int FROM attempt WHERE attempt.node_id = node.id
         AND attempt.started_at > now() - make_interval(secs => $1) AND attempt.state = 'COMPLETE') AS turnover,
       unresponsive_at IS NOT NULL AND NOT EXISTS (
         SELECT FROM attempt WHERE attempt.node_id = node.id AND attempt.started_at > unresponsive_at) AS hesitant,
       CASE WHEN ${IS_SUSPECT} THEN 'suspect' END AS "closedBy", extract(epoch FROM proved_at)::float8 * 1000 AS "provedAtMs",
       ARRAY(SELECT application_id FROM node_failure WHERE node_failure.node_id = node.id
         AND avoided_until > now() AND failed_at > node.started_at) AS "avoidedBy"
     FROM (SELECT) AS always LEFT JOIN node ON ${TAKES_JOBS} ORDER BY id`,
    [SHORT_S, sealsSecrets],
  );
  return { nodes: rows.filter(({ id }) => id !== null), nowMs: rows[0]?.nowMs ?? 0 };
}

interface InFlight {
  readonly running: readonly (Held & Owner & { readonly nodeId: string })[];
  /** In the order in which they were placed. */
  readonly placed: readonly Placed[];
}

const OWNER = `job.tenant, job.submitted_by AS "submittedBy"`;
/** Milliseconds of the epoch. */
const endsAt = (start: string) => `extract(epoch FROM ${start})::float8 * 1000 + job.wall_time_s * 1000 AS "endsAtMs"`;

const CLAIMED = `job.id AS "jobId", attempt.number AS fence, attempt.node_id AS "nodeId", true AS claimed, NULL::timestamptz AS since,
  ${OWNER}, ${endsAt('attempt.started_at')}, ${HELD_SHARE}`;

/**
 * By one statement: a job that is claimed meanwhile is seen once. An attempt that failed holds its place until the failure is
 * settled: a node that fails fast would get more before anybody knows.
 */
export async function inFlight(manager: EntityManager): Promise<InFlight> {
  const rows: (Placed & { readonly claimed: boolean })[] = await manager.query(
    `SELECT ${CLAIMED} FROM attempt JOIN job ON job.id = attempt.job_id WHERE attempt.ended_at IS NULL
     UNION ALL
     SELECT ${CLAIMED} FROM job JOIN attempt ON attempt.job_id = job.id AND attempt.number = job.fence
     WHERE job.state IN ('INITIALIZING', 'RUNNING') AND job.ended_at IS NULL AND attempt.state = 'FAILED'
     UNION ALL
     SELECT job.id, job.fence, job.placed_node_id, false, job.placed_at, ${OWNER}, ${endsAt('job.placed_at')}, ${SHARE} FROM job WHERE ${ON_ITS_WAY}
     ORDER BY since NULLS FIRST, "jobId"`,
  );
  return { running: rows.filter(({ claimed }) => claimed), placed: rows.filter(({ claimed }) => !claimed) };
}

/**
 * Takes jobs off their nodes: the message that is out fails its claim from now on, and the job waits to be placed anew. No try
 * is counted. Returns those that nobody has claimed in between.
 */
export async function takeOff(
  manager: EntityManager,
  placed: readonly Pick<Placed, 'jobId' | 'fence'>[],
  waitingReason: 'placing-again' | 'waiting-for-slot',
): Promise<string[]> {
  if (placed.length === 0) return [];
  const rows: { id: string }[] = await manager.query(
    `WITH off AS (
       UPDATE job SET fence = job.fence + 1, waiting_reason = $2
       FROM jsonb_to_recordset($1) AS off("jobId" uuid, fence int)
       WHERE job.id = off."jobId" AND job.fence = off.fence AND ${ON_ITS_WAY} RETURNING job.id, job.fence
     )
     SELECT id FROM off ORDER BY id`,
    [JSON.stringify(placed.map(({ jobId, fence }) => ({ jobId, fence }))), waitingReason],
  );
  await enqueue(manager, rows, { wasBefore: true });
  return rows.map(({ id }) => id);
}

/** They left a job unclaimed that they had room for, or let a lease run out. */
export async function markUnresponsive(manager: EntityManager, nodeIds: readonly string[]): Promise<void> {
  if (nodeIds.length === 0) return;
  await manager.query(`UPDATE node SET unresponsive_at = now() WHERE id = ANY($1)`, [nodeIds]);
}
