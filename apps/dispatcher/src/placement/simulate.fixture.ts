/** A grid as a discrete-event simulation: jobs come, run for as long as they run, and end; the scheduler decides at every event. */
import { FairShare, type Owner, type Weights } from './fair-share.js';
import { type PlaceableNode, type Reservation, Room } from './room.js';
import { type Candidate, type Lane, schedule } from './schedule.js';
import { fits, minus, NOTHING, type Share, sum } from './share.js';

export interface SimulatedJob extends Owner, Candidate {
  readonly arrivesAtMs: number;
  /** At most its wall time. */
  readonly runsForMs: number;
}

export interface SimulatedRun {
  readonly job: SimulatedJob;
  readonly nodeId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface Simulation {
  readonly runs: readonly SimulatedRun[];
  /** Jobs that could have run beside free resources, at the end of an event; reserved nodes are not free. */
  readonly idle: readonly { readonly atMs: number; readonly jobId: string; readonly nodeId: string }[];
  readonly reservedAtMs: ReadonlyMap<string, number>;
}

export interface Grid {
  readonly nodes: readonly PlaceableNode[];
  readonly weights: Weights;
  readonly reserveAfterMs: number;
  readonly halfLifeMs: number;
  /** The scheduler looks so often too, beside every event. */
  readonly tickMs: number;
  /** Whether `idle` is looked for, which takes time. */
  readonly watchesIdle: boolean;
}

/** Jobs of a lane that the scheduler is shown. */
const WINDOW = 32;

/** Until every job has ended, or until a time. Jobs that follow one another in a lane are given in the order of their arrival. */
export function simulate(
  { nodes, weights, reserveAfterMs, halfLifeMs, tickMs, watchesIdle }: Grid,
  jobs: readonly SimulatedJob[],
  untilMs = Infinity,
): Simulation {
  const coming = [...jobs].sort((a, b) => a.arrivesAtMs - b.arrivesAtMs);
  const waiting = new Queue();
  let running: SimulatedRun[] = [];
  const runs: SimulatedRun[] = [];
  const idle: { atMs: number; jobId: string; nodeId: string }[] = [];
  const reservedAtMs = new Map<string, number>();
  let reservations: readonly Reservation[] = [];
  const shares = new FairShare(halfLifeMs, 0);
  let nowMs = 0;
  for (;;) {
    const next = Math.min(
      coming[0]?.arrivesAtMs ?? Infinity,
      ...running.map(({ endedAtMs }) => endedAtMs),
      waiting.isEmpty ? Infinity : nowMs + tickMs,
    );
    if (next === Infinity || next > untilMs) break;
    shares.accrue(
      running.map(({ job }) => job),
      next,
    );
    nowMs = next;
    running = running.filter(({ endedAtMs }) => endedAtMs > nowMs);
    while (coming[0] && coming[0].arrivesAtMs <= nowMs) {
      const job = coming.shift();
      if (job) waiting.add(job);
    }
    const rooms = nodes.map((node) => roomOf(node, running, nowMs));
    const standing = shares.standing(
      running.map(({ job }) => job),
      weights,
    );
    const decided = schedule(waiting.lanes(), rooms, standing, { nowMs, reserveAfterMs, reservations });
    reservations = decided.reservations;
    for (const { jobId } of reservations) if (!reservedAtMs.has(jobId)) reservedAtMs.set(jobId, nowMs);
    for (const { jobId, nodeId } of decided.placements) {
      const job = waiting.take(jobId);
      const run = { job, nodeId, startedAtMs: nowMs, endedAtMs: nowMs + job.runsForMs };
      running.push(run);
      runs.push(run);
    }
    if (watchesIdle) {
      idle.push(...idleBeside(nodes, running, waiting, reservations).map((one) => ({ atMs: nowMs, ...one })));
    }
  }
  return { runs, idle, reservedAtMs };
}

function roomOf(node: PlaceableNode, running: readonly SimulatedRun[], nowMs: number): Room {
  const here = running.filter(({ nodeId }) => nodeId === node.id);
  const held = here.map(({ job, startedAtMs }) => ({ ...job, endsAtMs: startedAtMs + job.wallTimeS * 1000 }));
  return new Room({ ...node, running: held }, nowMs);
}

/** As the leader keeps it: of each lane, the first few. */
class Queue {
  readonly #lanes = new Map<string, SimulatedJob[]>();

  get isEmpty(): boolean {
    return [...this.#lanes.values()].every((jobs) => jobs.length === 0);
  }

  add(job: SimulatedJob): void {
    const id = laneOf(job);
    const lane = this.#lanes.get(id) ?? [];
    const at = lane.findIndex(({ priority }) => priority < job.priority);
    lane.splice(at === -1 ? lane.length : at, 0, job);
    this.#lanes.set(id, lane);
  }

  lanes(): Lane[] {
    return [...this.#lanes].flatMap(([id, jobs]) => {
      const [first] = jobs;
      if (!first) return [];
      const { tenant, submittedBy } = first;
      return [{ id, tenant, submittedBy, candidates: jobs.slice(0, WINDOW) }];
    });
  }

  take(jobId: string): SimulatedJob {
    for (const jobs of this.#lanes.values()) {
      const at = jobs.slice(0, WINDOW).findIndex((job) => job.jobId === jobId);
      const [job] = at === -1 ? [] : jobs.splice(at, 1);
      if (job) return job;
    }
    throw new Error(`${jobId} does not wait`);
  }

  *[Symbol.iterator](): Generator<SimulatedJob> {
    for (const jobs of this.#lanes.values()) yield* jobs;
  }
}

function laneOf({ tenant, submittedBy, cpuMilli, memoryBytes }: SimulatedJob): string {
  return [tenant, submittedBy, cpuMilli, memoryBytes].join(' ');
}

/** By a rule of its own, not by the scheduler's. */
function idleBeside(
  nodes: readonly PlaceableNode[],
  running: readonly SimulatedRun[],
  waiting: Iterable<SimulatedJob>,
  reservations: readonly Reservation[],
): { jobId: string; nodeId: string }[] {
  const free = nodes
    .filter(({ id }) => !reservations.some(({ nodeId }) => nodeId === id))
    .map((node) => {
      const here = running.filter(({ nodeId }) => nodeId === node.id).map(({ job }) => job);
      const left: Share = minus(node, here.reduce<Share>(sum, NOTHING));
      return { id: node.id, architecture: node.architecture, slots: node.slots - here.length, left };
    })
    .filter(({ slots }) => slots > 0);
  if (free.length === 0) return [];
  const found: { jobId: string; nodeId: string }[] = [];
  for (const job of waiting) {
    const node = free.find(({ architecture, left }) => architecture === job.architecture && fits(job, left));
    if (node) found.push({ jobId: job.jobId, nodeId: node.id });
  }
  return found;
}
