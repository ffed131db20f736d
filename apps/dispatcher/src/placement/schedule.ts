/**
 * Chooses nodes for jobs: a pure function of what nodes have, what runs there, what was placed there before, and who has had how
 * much of the grid.
 * - The next job is of the tenant that has had the least for its weight; within it the most urgent, then that of the submitter who
 *   has had the least, then the oldest.
 * - It goes where it can start at once; of several such nodes, to the one that is used least. Where jobs end quickly, one more a
 *   slot is sent ahead, so that no slot stands idle between two jobs.
 * - A node where it or its application failed by the node's fault is left out as long as another one could run it.
 * - A job that fits nowhere yet lets others pass. After a time, when its tenant is the next, it reserves the node that frees the
 *   soonest; from then on others go there only if their wall time ends before. So it waits at most that time and the longest wall
 *   time of what runs.
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
export function schedule(lanes: readonly Lane[], rooms: readonly Room[], standing: Standing, terms: Terms): Schedule {
  const round = new Round(rooms, standing, terms);
  // Whose job no node could run now stands in nobody's way, and its tenant's turn is not waited for.
  const able = round.thatCouldRun(lanes);
  round.keepReservations(lanes);
  // A reservation that is lifted lets jobs go that were passed over for it.
  let rest = able;
  while (round.placeInOrder(rest)) rest = round.unplaced(able);
  round.reserve();
  return { placements: round.placements, reservations: [...round.reservations.values()] };
}

class Round {
  readonly placements: Placement[] = [];
  /** By job. */
  readonly reservations = new Map<string, Reservation>();
  #passedOver: Candidate[] = [];
  /** Applications whose jobs do not go everywhere. */
  readonly #avoiding: ReadonlySet<string>;

  constructor(
    private readonly rooms: readonly Room[],
    private readonly standing: Standing,
    private readonly terms: Terms,
  ) {
    this.#avoiding = new Set(rooms.flatMap(({ node }) => node.avoidedBy));
  }

  /** Where nothing at all is free, the first job of each lane is enough: it may want a reservation. */
  thatCouldRun(lanes: readonly Lane[]): readonly Lane[] {
    const hasPlaces = this.rooms.some(({ places }) => places > 0);
    const known = new Map<string, boolean>();
    const couldRun = (job: Candidate) => {
      const asks = asksOf(job, this.#avoiding);
      const found = known.get(asks) ?? this.rooms.some((room) => room.couldRun(job));
      known.set(asks, found);
      return found;
    };
    return lanes.flatMap((lane) => {
      const candidates = lane.candidates.filter(couldRun);
      return candidates.length === 0 ? [] : [{ ...lane, candidates: hasPlaces ? candidates : candidates.slice(0, 1) }];
    });
  }

  /** While the job waits and the node could run it; the time only ever comes nearer. */
  keepReservations(lanes: readonly Lane[]): void {
    for (const one of this.terms.reservations) {
      const job = findJob(lanes, one.jobId);
      const room = this.rooms.find(({ node }) => node.id === one.nodeId);
      if (!job || !room?.couldRun(job) || room.reservation) continue;
      this.#reserve(room, { ...one, freeAtMs: Math.min(one.freeAtMs, room.freeAtMs(job)) });
    }
  }

  /** True when a reservation was lifted. */
  placeInOrder(lanes: readonly Lane[]): boolean {
    const queue = new FairQueue(lanes, this.standing);
    const failed = new Map<string, number>();
    this.#passedOver = [];
    let isLifted = false;
    // One that asks for the same fitted nowhere, and what is free only grows less.
    const isHopeless = (job: Candidate) =>
      (failed.get(asksOf(job, this.#avoiding)) ?? Infinity) <= job.wallTimeS && !this.reservations.has(job.jobId);
    for (let next = queue.next(); next; next = queue.next()) {
      const { lane, job } = next;
      if (isHopeless(job)) {
        queue.skip(isHopeless);
        continue;
      }
      const able = ableRooms(this.rooms, job);
      const starting = able.filter((room) => room.startsNow(job));
      const room = best(starting.length > 0 ? starting : able.filter((one) => one.mayWait(job)), job);
      if (room) {
        room.take(job);
        isLifted = this.#lift(job) || isLifted;
        this.placements.push({ laneId: lane.id, jobId: job.jobId, nodeId: room.node.id });
        queue.took();
      } else {
        failed.set(asksOf(job, this.#avoiding), job.wallTimeS);
        queue.skip(isHopeless);
        if (queue.isTurnOf(lane.tenant, job)) {
          this.#passedOver.push(job);
          this.#reserveFor(job, able);
        }
      }
    }
    return isLifted;
  }

  /** For those whose turn it was and that others were placed before, which leave less than there was then. */
  reserve(): void {
    for (const job of this.#passedOver) {
      this.#reserveFor(job, ableRooms(this.rooms, job));
    }
  }

  unplaced(lanes: readonly Lane[]): readonly Lane[] {
    const placed = new Set(this.placements.map(({ jobId }) => jobId));
    return lanes.map((lane) => ({ ...lane, candidates: lane.candidates.filter(({ jobId }) => !placed.has(jobId)) }));
  }

  /**
   * Of the nodes that could run it, the one that frees the soonest, where at most half of them are reserved then: what is free on
   * the others goes by shares. Not where it fits as soon as any job ends: its turn comes by its share.
   */
  #reserveFor(job: Candidate, able: readonly Room[]): void {
    const { nowMs, reserveAfterMs } = this.terms;
    if (nowMs - job.readyAtMs < reserveAfterMs || this.reservations.has(job.jobId)) return;
    const free = able.filter(({ reservation }) => !reservation);
    const most = Math.max(1, Math.floor(able.length / 2));
    if (able.length - free.length >= most) return;
    if (free.some((room) => room.fitsAfterAnyEnd(job))) return;
    const [soonest] = free
      .map((room) => ({ room, freeAtMs: room.freeAtMs(job) }))
      .sort((a, b) => a.freeAtMs - b.freeAtMs || (a.room.node.id < b.room.node.id ? -1 : 1));
    if (!soonest) return;
    this.#reserve(soonest.room, { jobId: job.jobId, nodeId: soonest.room.node.id, freeAtMs: soonest.freeAtMs });
  }

  #reserve(room: Room, reservation: Reservation): void {
    room.reservation = reservation;
    this.reservations.set(reservation.jobId, reservation);
  }

  #lift({ jobId }: Candidate): boolean {
    if (!this.reservations.delete(jobId)) return false;
    for (const room of this.rooms) if (room.reservation?.jobId === jobId) room.reservation = undefined;
    return true;
  }
}

/** Of the nodes that could run it those that it does not avoid, where there is one. */
export function ableRooms(rooms: readonly Room[], job: Candidate): readonly Room[] {
  const able = rooms.filter((room) => room.couldRun(job));
  const wanted = able.filter((room) => !room.isAvoidedBy(job));
  return wanted.length > 0 ? wanted : able;
}

/** The candidates in the order of shares, which changes as they are placed. */
class FairQueue {
  readonly #tenants = new Map<string, LaneCursor[]>();
  readonly #waiting: readonly string[];
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
    this.#waiting = [...this.#tenants.keys()];
  }

  /** Whether no other tenant has had less, as far as one job of this size matters. */
  isTurnOf(tenant: string, { cpuMilli }: Candidate): boolean {
    const least = Math.min(...this.#waiting.map((each) => this.standing.ofTenant(each)));
    return this.standing.ofTenant(tenant) <= least + this.standing.costOf(tenant, cpuMilli);
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

  /** The last one fits nowhere now, nor do those behind it in its lane that are as hopeless. */
  skip(isHopeless: (job: Candidate) => boolean): void {
    this.#last?.passBy(isHopeless);
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

/** Of candidates, which stay the same from round to round. */
const asked = new WeakMap<Candidate, string>();

/** The same for jobs that fit on the same nodes. */
function asksOf(job: Candidate, avoiding: ReadonlySet<string>): string {
  const known = asked.get(job) ?? writeDown(job);
  return avoiding.has(job.applicationId) ? `${known} ${job.applicationId}` : known;
}

function writeDown(job: Candidate): string {
  const { cpuMilli, memoryBytes, diskBytes, architecture, monitoring, namesSecrets, boundNodeId, nodeFailures } = job;
  const shape = [cpuMilli, memoryBytes, diskBytes, architecture, monitoring, namesSecrets, boundNodeId].join(' ');
  const failures = nodeFailures.map(({ nodeId, atMs }) => `${nodeId} ${atMs}`).join(' ');
  const asks = `${shape} ${failures}`;
  asked.set(job, asks);
  return asks;
}

function findJob(lanes: readonly Lane[], jobId: string): Candidate | undefined {
  for (const { candidates } of lanes) {
    const job = candidates.find((one) => one.jobId === jobId);
    if (job) return job;
  }
  return undefined;
}

class LaneCursor {
  #at = 0;

  constructor(readonly lane: Lane) {}

  get job(): Candidate | undefined {
    return this.lane.candidates[this.#at];
  }

  /** To the last one before one that is not hopeless. */
  passBy(isHopeless: (job: Candidate) => boolean): void {
    const { candidates } = this.lane;
    for (let next = candidates[this.#at + 1]; next && isHopeless(next); next = candidates[this.#at + 1]) this.#at++;
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
