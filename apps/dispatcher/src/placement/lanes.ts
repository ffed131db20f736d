/**
 * The queue as the leader sees it: of every lane a few jobs from its front, and a place from which it reads on. What lies before
 * that place was taken, and is not read again though Postgres may keep it for as long as some old transaction lasts. So a look
 * costs the same however long the queue is, and however much of it was taken.
 */
import { type Monitoring } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
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
  readonly architecture: string;
  readonly monitoring: Monitoring | null;
  readonly namesSecrets: boolean;
  jobs: readonly QueuedJob[];
  /** The last one that was read. */
  at: Place;
  /** Before what nothing was left, and when: a submission may be committed after others that came later. */
  trail: readonly { readonly atMs: number; readonly at: Place }[];
  lookedAtMs: number;
  lookedBackAtMs: number;
  /** Nothing of what was read could be placed though there was room: something behind it may. */
  readsOn: boolean;
}

/** What a lane of jobs needs whose outputs are to be put in place (libs/database/src/functions/queue.ts); `+secrets` may follow. */
const PUBLICATION = 'publication';
const MONITORING = `split_part(needs, '+', 1)`;
/** Before everything. */
const START: Place = { priority: -(2 ** 31), seq: '0' };
/** In one look, the lanes that were not looked at for the longest. */
const LANES_PER_LOOK = 200;
/** Between two looks at a lane, where one look does not see all: then another follows at once. */
const BEHIND_MS = 500;
/** Beyond what may be placed at once: jobs that fit nowhere let others pass. */
const AHEAD = 64;
const AHEAD_MAXIMUM = 500;
/** Of what is known of one lane, when nothing of it fits anywhere. */
const WINDOW_MAXIMUM = 2_000;
/** So long after it was given its place a job may come to light: the longest that a submission takes, and more. */
const LATE_MS = 60_000;
/** Between two looks from further back. */
const LOOK_BACK_MS = 10_000;

export class Lanes {
  readonly #lanes = new Map<string, KnownLane>();
  #metAllAtMs = -Infinity;
  #newest = '0';

  /** What was read is forgotten: what became of it is not known. */
  reset(): void {
    this.#lanes.clear();
    this.#newest = '0';
  }

  /** Reads on. `places`: how many jobs may be placed in this round, at most. */
  async look(manager: EntityManager, places: number, nowMs: number): Promise<readonly Lane<QueuedJob>[]> {
    await this.#meetNew(manager, nowMs);
    const all = [...this.#lanes.values()];
    const lanes = all.sort((a, b) => a.lookedAtMs - b.lookedAtMs).slice(0, LANES_PER_LOOK);
    for (const lane of lanes) if (nowMs - lane.lookedBackAtMs >= LOOK_BACK_MS) this.#lookBack(lane, nowMs);
    const limit = Math.min(places + AHEAD, AHEAD_MAXIMUM);
    const urgent = await this.#read(manager, lanes, limit);
    // They are before the place that was read from: from there on it is read anew.
    if (urgent.length > 0) await this.#read(manager, urgent, limit);
    for (const lane of lanes) lane.lookedAtMs = nowMs;
    return unbound(manager, this.known());
  }

  /** As they were read. */
  known(): readonly Lane<QueuedJob>[] {
    return [...this.#lanes.values()].map(({ id, tenant, submittedBy, jobs }) => ({
      ...{ id, tenant, submittedBy },
      candidates: jobs,
    }));
  }

  /** Whether a lane was not looked at for long: there are too many for one look. */
  isBehind(nowMs: number): boolean {
    return [...this.#lanes.values()].some(({ lookedAtMs }) => nowMs - lookedAtMs > BEHIND_MS);
  }

  /** Of these lanes nothing could be placed though there was room: the next look reads on behind what it knows. */
  readOn(isBlocked: (laneId: string) => boolean): void {
    for (const lane of this.#lanes.values()) {
      lane.readsOn = lane.jobs.length > 0 && lane.jobs.length < WINDOW_MAXIMUM && isBlocked(lane.id);
    }
  }

  /** They are in the queue no more. */
  forget(jobIds: ReadonlySet<string>): void {
    for (const lane of this.#lanes.values()) {
      if (lane.jobs.some(({ jobId }) => jobIds.has(jobId))) {
        lane.jobs = lane.jobs.filter(({ jobId }) => !jobIds.has(jobId));
      }
    }
  }

  async #meetNew(manager: EntityManager, nowMs: number): Promise<void> {
    // A lane may be committed after others that came later.
    const isAll = nowMs - this.#metAllAtMs >= LOOK_BACK_MS;
    if (isAll) this.#metAllAtMs = nowMs;
    const newest = isAll ? '0' : this.#newest;
    const rows: Pick<KnownLane, 'id' | 'tenant' | 'submittedBy' | 'architecture' | 'monitoring' | 'namesSecrets'>[] =
      await manager.query(
        `SELECT id, tenant, submitted_by AS "submittedBy", architecture,
         CASE WHEN ${MONITORING} NOT IN ('', '${PUBLICATION}') THEN ${MONITORING} END AS monitoring,
         split_part(needs, '+', 2) = 'secrets' AS "namesSecrets"
       FROM lane WHERE id > $1 ORDER BY lane.id`,
        [newest],
      );
    for (const row of rows) {
      this.#newest = row.id;
      if (this.#lanes.has(row.id)) continue;
      const nothing = { jobs: [], at: START, trail: [], lookedAtMs: -Infinity, lookedBackAtMs: nowMs, readsOn: false };
      this.#lanes.set(row.id, { ...row, ...nothing });
    }
  }

  /** Those of them that have jobs more urgent than what was read; their place is before these now. */
  async #read(manager: EntityManager, lanes: readonly KnownLane[], limit: number): Promise<KnownLane[]> {
    const rows: QueueRow[] = await manager.query(NEXT, [
      lanes.map(({ id }) => id),
      lanes.map(({ at }) => at.priority),
      lanes.map(({ at }) => at.seq),
      lanes.map(({ jobs, readsOn }) => readsOn || jobs.length < limit / 2),
      limit,
      lanes.map(({ tenant }) => tenant),
    ]);
    const urgent = new Set<KnownLane>();
    for (const row of rows) {
      const lane = this.#lanes.get(row.laneId);
      if (!lane) continue;
      const { isBefore } = row;
      const job = jobOf(row, lane);
      if (isBefore && !urgent.has(lane)) {
        lane.at = before(job);
        lane.jobs = [];
        urgent.add(lane);
      } else if (!isBefore && !urgent.has(lane)) {
        lane.at = { priority: job.rank, seq: String(job.seq) };
        lane.jobs = [...lane.jobs, job];
      }
    }
    return [...urgent];
  }

  #lookBack(lane: KnownLane, nowMs: number): void {
    lane.lookedBackAtMs = nowMs;
    const kept = lane.trail.filter(({ atMs }) => nowMs - atMs <= LATE_MS);
    const old = lane.trail.filter(({ atMs }) => nowMs - atMs > LATE_MS).at(-1);
    const [first] = lane.jobs;
    lane.trail = [...(old ? [old] : []), ...kept, { atMs: nowMs, at: first ? before(first) : lane.at }];
    lane.at = old?.at ?? START;
    lane.jobs = [];
  }
}

interface QueueRow extends Omit<QueuedJob, 'priority' | 'architecture' | 'monitoring' | 'namesSecrets'> {
  readonly laneId: string;
  readonly isBefore: boolean;
}

/** Member by member: thousands are looked through in every round, and of objects that are made by spreading each look is slow. */
function jobOf(row: QueueRow, { architecture, monitoring, namesSecrets }: KnownLane): QueuedJob {
  return {
    jobId: row.jobId,
    fence: row.fence,
    rank: row.rank,
    priority: Math.floor(-row.rank / 2),
    seq: row.seq,
    wallTimeS: row.wallTimeS,
    cpuMilli: row.cpuMilli,
    memoryBytes: row.memoryBytes,
    diskBytes: row.diskBytes,
    readyAtMs: row.readyAtMs,
    applicationId: row.applicationId,
    lastNodeId: row.lastNodeId,
    boundNodeId: row.boundNodeId,
    nodeFailures: row.nodeFailures,
    imageNodeIds: row.imageNodeIds,
    architecture,
    monitoring,
    namesSecrets,
  };
}

function before({ rank, seq }: QueuedJob): Place {
  return { priority: rank, seq: String(seq - 1) };
}

/**
 * Staged bytes of outputs are where they were staged: while that node reports, or has just gone to be started again, no other one
 * publishes them; then any may.
 */
async function unbound(manager: EntityManager, lanes: readonly Lane<QueuedJob>[]): Promise<readonly Lane<QueuedJob>[]> {
  const bound = new Set<string>();
  for (const { candidates } of lanes) {
    for (const { boundNodeId } of candidates) if (boundNodeId !== null) bound.add(boundNodeId);
  }
  if (bound.size === 0) return lanes;
  const rows: { id: string }[] = await manager.query(
    `SELECT id FROM node WHERE id = ANY ($1::uuid[]) AND heartbeat_at > now() - interval '20 s'`,
    [[...bound]],
  );
  const there = new Set(rows.map(({ id }) => id));
  const freed = (job: QueuedJob) =>
    job.boundNodeId === null || there.has(job.boundNodeId) ? job : { ...job, boundNodeId: null };
  return lanes.map((lane) => ({ ...lane, candidates: lane.candidates.map(freed) }));
}

/** Of each lane, by its number, priority and sequence of the place, and whether its jobs are wanted: one that comes before, and those that follow. */
const NEXT = `SELECT known.lane_id AS "laneId", entry.priority AS rank, entry."isBefore", entry.seq::float8 AS seq, entry.job_id AS "jobId",
    entry.fence, entry.wall_time_s AS "wallTimeS", entry.cpu_milli AS "cpuMilli", entry.memory_bytes::float8 AS "memoryBytes",
    entry.disk_bytes::float8 AS "diskBytes", extract(epoch FROM entry.ready_at)::float8 * 1000 AS "readyAtMs",
    entry.application_id AS "applicationId", entry.last_node_id AS "lastNodeId", entry.bound_node_id AS "boundNodeId",
    coalesce(entry.node_failures, '[]') AS "nodeFailures",
    CASE WHEN entry.image_digests IS NULL THEN '{}' ELSE ARRAY(SELECT DISTINCT image.node_id FROM node_image AS image
      WHERE image.tenant = known.tenant AND image.repository_digest = ANY (entry.image_digests)) END AS "imageNodeIds"
  FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::boolean[], $6::text[]) AS known(lane_id, priority, seq, wanted, tenant)
  CROSS JOIN LATERAL (
    (SELECT queued.*, true AS "isBefore" FROM queue_entry AS queued
     WHERE queued.lane_id = known.lane_id AND queued.priority < 0 AND queued.priority < known.priority
     ORDER BY queued.priority, queued.seq LIMIT 1)
    UNION ALL
    (SELECT queued.*, true FROM queue_entry AS queued
     WHERE known.priority > 0 AND queued.lane_id = known.lane_id AND queued.priority >= 0 AND queued.priority < known.priority
     ORDER BY queued.priority, queued.seq LIMIT 1)
    UNION ALL
    (SELECT queued.*, false FROM queue_entry AS queued
     WHERE known.wanted AND queued.lane_id = known.lane_id AND (queued.priority, queued.seq) > (known.priority, known.seq)
     ORDER BY queued.priority, queued.seq LIMIT $5)
  ) AS entry ORDER BY known.lane_id, entry."isBefore" DESC, entry.priority, entry.seq`;
