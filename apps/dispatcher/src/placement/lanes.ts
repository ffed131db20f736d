/**
 * The queue as the leader sees it: of every lane a few jobs from its front, and a place from which it reads on. What lies before
 * that place was taken, and is not read again though Postgres may keep it for as long as some old transaction lasts. So a look
 * costs the same however long the queue is, and however much of it was taken.
 */
import { type EntityManager } from 'typeorm';
import { FAILED_BY_NODE } from '../attempts/node-failures.js';
import { BOUND_NODE, SHARE } from './in-flight.js';
import { type Candidate, type Lane } from './schedule.js';

/** In the order of the lane. */
interface Place {
  /** Less goes first. */
  readonly priority: number;
  readonly seq: string;
}

export interface QueuedJob extends Candidate {
  readonly fence: number;
  /** Its priority in the lane: less goes first. */
  readonly rank: number;
}

interface KnownLane {
  readonly id: string;
  readonly tenant: string;
  readonly submittedBy: string;
  jobs: readonly QueuedJob[];
  /** The last one that was read. */
  at: Place;
  /** Before what nothing was left, and when: a submission may be committed after others that came later. */
  trail: readonly { readonly atMs: number; readonly at: Place }[];
  lookedAtMs: number;
}

/** Before everything. */
const START: Place = { priority: -(2 ** 31), seq: '0' };
/** In one look, the lanes that were not looked at for the longest. */
const LANES_PER_LOOK = 200;
/** Beyond what may be placed at once: jobs that fit nowhere let others pass. */
const AHEAD = 16;
const AHEAD_MAXIMUM = 500;
/** So long after it was given its place a job may come to light: the longest that a submission takes, and more. */
const LATE_MS = 60_000;
/** Between two looks from further back. */
const LOOK_BACK_MS = 10_000;

export class Lanes {
  readonly #lanes = new Map<string, KnownLane>();
  #lookedBackAtMs = -Infinity;

  /** What was read is forgotten: what became of it is not known. */
  reset(): void {
    this.#lanes.clear();
  }

  /** Reads on. `places`: how many jobs may be placed in this round, at most. */
  async look(manager: EntityManager, places: number, nowMs: number): Promise<readonly Lane<QueuedJob>[]> {
    await this.#meetNew(manager);
    if (nowMs - this.#lookedBackAtMs >= LOOK_BACK_MS) {
      this.#lookedBackAtMs = nowMs;
      for (const lane of this.#lanes.values()) this.#lookBack(lane, nowMs);
    }
    const lanes = [...this.#lanes.values()].sort((a, b) => a.lookedAtMs - b.lookedAtMs).slice(0, LANES_PER_LOOK);
    const limit = Math.min(places + AHEAD, AHEAD_MAXIMUM);
    const urgent = await this.#read(manager, lanes, limit);
    // They are before the place that was read from: from there on it is read anew.
    if (urgent.length > 0) await this.#read(manager, urgent, limit);
    for (const lane of lanes) lane.lookedAtMs = nowMs;
    return this.known();
  }

  /** As they were read. */
  known(): readonly Lane<QueuedJob>[] {
    return [...this.#lanes.values()].map(({ id, tenant, submittedBy, jobs }) => ({
      ...{ id, tenant, submittedBy },
      candidates: jobs,
    }));
  }

  /** They are in the queue no more. */
  forget(jobIds: ReadonlySet<string>): void {
    for (const lane of this.#lanes.values()) {
      if (lane.jobs.some(({ jobId }) => jobIds.has(jobId))) {
        lane.jobs = lane.jobs.filter(({ jobId }) => !jobIds.has(jobId));
      }
    }
  }

  async #meetNew(manager: EntityManager): Promise<void> {
    const rows: { id: string; tenant: string; submittedBy: string }[] = await manager.query(
      `SELECT id, tenant, submitted_by AS "submittedBy" FROM lane WHERE id <> ALL ($1::bigint[])`,
      [[...this.#lanes.keys()]],
    );
    for (const row of rows) {
      const nothing = { jobs: [], at: START, trail: [], lookedAtMs: -Infinity };
      this.#lanes.set(row.id, { ...row, ...nothing });
    }
  }

  /** Those of them that have jobs more urgent than what was read; their place is before these now. */
  async #read(manager: EntityManager, lanes: readonly KnownLane[], limit: number): Promise<KnownLane[]> {
    const rows: (QueuedJob & { laneId: string; isBefore: boolean })[] = await manager.query(NEXT, [
      lanes.map(({ id }) => id),
      lanes.map(({ at }) => at.priority),
      lanes.map(({ at }) => at.seq),
      lanes.map(({ jobs }) => jobs.length < limit / 2),
      limit,
    ]);
    const urgent = new Set<KnownLane>();
    for (const { laneId, isBefore, ...job } of rows) {
      const lane = this.#lanes.get(laneId);
      if (!lane) continue;
      if (isBefore) {
        lane.at = before(job);
        lane.jobs = [];
        urgent.add(lane);
      } else if (!urgent.has(lane)) {
        lane.at = { priority: job.rank, seq: String(job.seq) };
        lane.jobs = [...lane.jobs, job];
      }
    }
    return [...urgent];
  }

  #lookBack(lane: KnownLane, nowMs: number): void {
    const kept = lane.trail.filter(({ atMs }) => nowMs - atMs <= LATE_MS);
    const old = lane.trail.filter(({ atMs }) => nowMs - atMs > LATE_MS).at(-1);
    const [first] = lane.jobs;
    lane.trail = [...(old ? [old] : []), ...kept, { atMs: nowMs, at: first ? before(first) : lane.at }];
    lane.at = old?.at ?? START;
    lane.jobs = [];
  }
}

function before({ rank, seq }: QueuedJob): Place {
  return { priority: rank, seq: String(seq - 1) };
}

/** Of a row `job`. What is to be put in place is bound to where it was staged. */
const NODE_FAILURES = `CASE WHEN job.fence = 1 OR job.publishing_since IS NOT NULL THEN '[]' ELSE coalesce(
    (SELECT jsonb_agg(jsonb_build_object('nodeId', node_id, 'atMs', extract(epoch FROM ended_at)::float8 * 1000))
     FROM attempt WHERE attempt.job_id = job.id AND ${FAILED_BY_NODE}), '[]') END`;

const COLUMNS = `job.id AS "jobId", job.fence, job.architecture, job.priority, entry.seq::float8 AS seq, job.wall_time_s AS "wallTimeS",
  extract(epoch FROM job.queued_at)::float8 * 1000 AS "readyAtMs", job.placed_node_id AS "lastNodeId", ${BOUND_NODE} AS "boundNodeId",
  CASE WHEN job.publishing_since IS NULL THEN job.needs_monitoring END AS monitoring, ${NODE_FAILURES} AS "nodeFailures",
  (SELECT application_id FROM executor WHERE executor.job_id = job.id AND position = 0) AS "applicationId",
  ARRAY(SELECT DISTINCT image.node_id FROM executor JOIN node_image AS image
    ON image.tenant = job.tenant AND image.repository_digest = executor.repository_digest
    WHERE executor.job_id = job.id) AS "imageNodeIds", ${SHARE}`;

/** Of each lane, by its number, priority and sequence of the place, and whether its jobs are wanted: one that comes before, and those that follow. */
export const NEXT = `SELECT known.lane_id AS "laneId", entry.priority AS rank, entry."isBefore", ${COLUMNS}
  FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::boolean[]) AS known(lane_id, priority, seq, wanted)
  CROSS JOIN LATERAL (
    (SELECT queued.job_id, queued.priority, queued.seq, true AS "isBefore" FROM queue_entry AS queued
     WHERE queued.lane_id = known.lane_id AND queued.priority < known.priority ORDER BY queued.priority, queued.seq LIMIT 1)
    UNION ALL
    (SELECT queued.job_id, queued.priority, queued.seq, false FROM queue_entry AS queued
     WHERE known.wanted AND queued.lane_id = known.lane_id AND (queued.priority, queued.seq) > (known.priority, known.seq)
     ORDER BY queued.priority, queued.seq LIMIT $5)
  ) AS entry JOIN job ON job.id = entry.job_id AND job.state = 'QUEUED'
  ORDER BY known.lane_id, entry."isBefore" DESC, entry.priority, entry.seq`;
