/**
 * Chooses nodes for jobs: a pure function of what nodes have, what runs there, what was placed there before, and who has had how
 * much of the grid.
 * - The next job is of the tenant that has had the least for its weight; within it the most urgent, then that of the submitter who
 *   has had the least, then the oldest.
 * - It goes where it can start at once, but not where it or its application failed by the node's fault while there is another node; of several such nodes, to the one that is used least. Where jobs end quickly, one more a
 *   slot is sent ahead, so that no slot stands idle between two jobs.
 * - A job that fits nowhere yet lets others pass. After a time it reserves the node that frees the soonest; from then on others
 *   go there only if their wall time ends before. So it waits at most that time and the longest wall time of what runs.
 */
import { type Owner, type Standing } from './fair-share.js';
import { type Needs, type Reservation, type Room } from './room.js';

export interface Candidate extends Needs {
  readonly jobId: string;
  /** Greater is more urgent. */
  readonly priority: number;
  /** Order of queueing among equals. */
  readonly seq: number;
  readonly wallTimeS: number;
  /** Since when it could have run. */
  readonly readyAtMs: number;
  /** Where it was before: any other node is preferred. */
  readonly lastNodeId: string | null;
  /** Nodes that have its images already: preferred. */
  readonly imageNodeIds: readonly string[];
}

/** Jobs of one owner that are much alike, the first of them first. */
export interface Lane<C extends Candidate = Candidate> extends Owner {
  readonly id: string;
  readonly candidates: readonly C[];
}

export interface Placement {
  readonly laneId: string;
  readonly jobId: string;
  readonly nodeId: string;
}

export interface Schedule {
  readonly placements: readonly Placement[];
  /** Those that stand after this round. */
  readonly reservations: readonly Reservation[];
}

export interface Terms {
  readonly nowMs: number;
  /** A job that has been ready for longer and fits nowhere has a node reserved. */
  readonly reserveAfterMs: number;
  /** Of the round before; those of jobs that are gone are forgotten. */
  readonly reservations: readonly Reservation[];
}

/** Changes the rooms and the standing. */
export function schedule(
  lanes: readonly Lane[],
  rooms: readonly Room[],
  standing: Standing,
  { nowMs, reserveAfterMs, reservations }: Terms,
): Schedule {
  const queue = new FairQueue(lanes, standing);
  const kept = keepReservations(reservations, queue, rooms);
  const placements: Placement[] = [];
  for (let next = queue.next(); next; next = queue.next()) {
    const { lane, job } = next;
    const able = ableRooms(rooms, job);
    const starting = able.filter((room) => room.startsNow(job));
    const room = best(starting.length > 0 ? starting : able.filter((one) => one.mayWait(job)), job);
    if (room) {
      room.take(job);
      if (room.reservation?.jobId === job.jobId) room.reservation = undefined;
      kept.delete(job.jobId);
      placements.push({ laneId: lane.id, jobId: job.jobId, nodeId: room.node.id });
      queue.took();
      continue;
    }
    queue.skip();
    const overdue = nowMs - job.readyAtMs >= reserveAfterMs;
    if (overdue && able.length > 0 && !kept.has(job.jobId)) reserve(job, able, kept);
  }
  return { placements, reservations: [...kept.values()] };
}

/** Of the nodes that could run it those that it does not avoid, where there is one. */
export function ableRooms(rooms: readonly Room[], job: Candidate): readonly Room[] {
  const able = rooms.filter((room) => room.couldRun(job));
  const wanted = able.filter((room) => !room.isAvoidedBy(job));
  return wanted.length > 0 ? wanted : able;
}

/** Of the nodes that could run it, one that nobody has reserved, where it leaves another one free of reservations if there is one. */
function reserve(job: Candidate, able: readonly Room[], kept: Map<string, Reservation>): void {
  const free = able.filter(({ reservation }) => !reservation);
  if (free.length === 0 || (free.length === 1 && able.length > 1)) return;
  const soonest = free
    .map((room) => ({ room, freeAtMs: room.freeAtMs(job) }))
    .sort((a, b) => a.freeAtMs - b.freeAtMs || (a.room.node.id < b.room.node.id ? -1 : 1))[0];
  if (!soonest) return;
  const reservation = { jobId: job.jobId, nodeId: soonest.room.node.id, freeAtMs: soonest.freeAtMs };
  soonest.room.reservation = reservation;
  kept.set(job.jobId, reservation);
}

/** While the job waits and the node could run it; the time only ever comes nearer. */
function keepReservations(
  before: readonly Reservation[],
  queue: FairQueue,
  rooms: readonly Room[],
): Map<string, Reservation> {
  const kept = new Map<string, Reservation>();
  for (const one of before) {
    const job = queue.find(one.jobId);
    const room = rooms.find(({ node }) => node.id === one.nodeId);
    if (!job || !room?.couldRun(job) || room.reservation) continue;
    const reservation = { ...one, freeAtMs: Math.min(one.freeAtMs, room.freeAtMs(job)) };
    room.reservation = reservation;
    kept.set(one.jobId, reservation);
  }
  return kept;
}

/** The candidates in the order of shares, which changes as they are placed. */
class FairQueue {
  readonly #tenants = new Map<string, LaneCursor[]>();
  #last: LaneCursor | undefined;

  constructor(
    lanes: readonly Lane[],
    private readonly standing: Standing,
  ) {
    for (const lane of lanes) {
      if (lane.candidates.length === 0) continue;
      const of = this.#tenants.get(lane.tenant);
      if (of) of.push(new LaneCursor(lane));
      else this.#tenants.set(lane.tenant, [new LaneCursor(lane)]);
    }
  }

  find(jobId: string): Candidate | undefined {
    for (const cursors of this.#tenants.values()) {
      for (const { lane } of cursors) {
        const found = lane.candidates.find((candidate) => candidate.jobId === jobId);
        if (found) return found;
      }
    }
    return undefined;
  }

  next(): { readonly lane: Lane; readonly job: Candidate } | undefined {
    let first: string | undefined;
    for (const tenant of this.#tenants.keys()) {
      if (first === undefined || this.#before(tenant, first)) first = tenant;
    }
    const cursors = first === undefined ? undefined : this.#tenants.get(first);
    this.#last = cursors?.reduce((a, b) => (this.#goesBefore(b, a) ? b : a));
    const job = this.#last?.job;
    return this.#last && job ? { lane: this.#last.lane, job } : undefined;
  }

  /** The last one was placed. */
  took(): void {
    if (this.#last?.job) this.standing.hold(this.#last.lane, this.#last.job.cpuMilli);
    this.#advance();
  }

  /** The last one fits nowhere now. */
  skip(): void {
    this.#advance();
  }

  #advance(): void {
    const cursor = this.#last;
    if (!cursor || cursor.advance()) return;
    const rest = (this.#tenants.get(cursor.lane.tenant) ?? []).filter((one) => one !== cursor);
    if (rest.length > 0) this.#tenants.set(cursor.lane.tenant, rest);
    else this.#tenants.delete(cursor.lane.tenant);
  }

  #before(tenant: string, other: string): boolean {
    const difference = this.standing.ofTenant(tenant) - this.standing.ofTenant(other);
    return difference < 0 || (difference === 0 && tenant < other);
  }

  #goesBefore(a: LaneCursor, b: LaneCursor): boolean {
    const [one, other] = [a.job, b.job];
    if (!one || !other) return other === undefined;
    if (one.priority !== other.priority) return one.priority > other.priority;
    const difference = this.standing.ofSubmitter(a.lane) - this.standing.ofSubmitter(b.lane);
    return difference < 0 || (difference === 0 && one.seq < other.seq);
  }
}

class LaneCursor {
  #at = 0;

  constructor(readonly lane: Lane) {}

  get job(): Candidate | undefined {
    return this.lane.candidates[this.#at];
  }

  /** False at the end. */
  advance(): boolean {
    this.#at++;
    return this.#at < this.lane.candidates.length;
  }
}

/** No hesitant node, and not the last one, where there is another; then one that has the images, then the one that is used least. */
function best(rooms: readonly Room[], job: Candidate): Room | undefined {
  const rank = ({ node }: Room) =>
    (node.hesitant ? 4 : 0) + (node.id === job.lastNodeId ? 2 : 0) + (job.imageNodeIds.includes(node.id) ? 0 : 1);
  return rooms.toSorted((a, b) => rank(a) - rank(b) || a.use() - b.use() || (a.node.id < b.node.id ? -1 : 1))[0];
}
