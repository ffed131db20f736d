/** What one node has left, now and later, while jobs are placed. Times are milliseconds of one clock. */
import { type Monitoring } from '#lib/profiles';
import { fits, KINDS, minus, NOTHING, type Share, sum } from './share.js';

/** What is asked of the node that a job goes to. */
export interface Needs extends Share {
  readonly architecture: string;
  /** It must be recorded or traced in this way; null where any node will do. */
  readonly monitoring: Monitoring | null;
  /** Secrets are sealed to its worker. */
  readonly namesSecrets: boolean;
  /** The node that has staged its outputs and is to put them in place; null where any may. */
  readonly boundNodeId: string | null;
  /** Attempts of it that failed by the fault of their node, as it seemed. */
  readonly nodeFailures: readonly NodeFailure[];
  /** Of its first executor. */
  readonly applicationId: string;
}

export interface NodeFailure {
  readonly nodeId: string;
  readonly atMs: number;
}

/** What a node holds for a job that runs there, or was placed there. */
export interface Held extends Share {
  /** When it ends at the latest, as far as its wall time says. */
  readonly endsAtMs: number;
}

export interface PlaceableNode extends Share {
  readonly id: string;
  readonly name: string;
  readonly architecture: string;
  readonly slots: number;
  readonly offeredMonitorings: readonly Monitoring[];
  /** Its worker has said by which key, and the dispatcher can seal. */
  readonly opensSecrets: boolean;
  /** Jobs that lately started and ended there: as many messages may wait beyond what can start, at most one a slot. */
  readonly turnover: number;
  /** It left a job unclaimed, or let a lease run out, and has claimed nothing since. */
  readonly hesitant: boolean;
  /** Why it takes no job at all at present; null where it does. */
  readonly closedBy: 'suspect' | null;
  /** When the last probe that succeeded there was begun, on the clock of failures; null where none did. */
  readonly provedAtMs: number | null;
  /** Jobs of these applications failed there lately, as it seemed by the fault of the node. */
  readonly avoidedBy: readonly string[];
  /** Of the attempts that are open there. */
  readonly running: readonly Held[];
  /** Of the jobs that were placed there and are not claimed, in the order in which they were placed. */
  readonly placed: readonly Held[];
}

/** For the job that reserved it, the node frees enough at that time at the latest. */
export interface Reservation {
  readonly jobId: string;
  readonly nodeId: string;
  readonly freeAtMs: number;
}

/** Beyond what runs, as much again may wait. */
const WAITING_FACTOR = 2;

export class Room {
  /** How many of `node.placed`, from the first on, the node has room for: a worker serves in order. */
  readonly claimable: number;
  reservation: Reservation | undefined;
  #slots: number;
  #free: Share;
  #inFlight: Share;
  #unclaimed: number;
  #waiting: number;
  #held: Held[];

  constructor(
    readonly node: PlaceableNode,
    private readonly nowMs: number,
  ) {
    const running = node.running.reduce(sum, NOTHING);
    this.#slots = node.slots - node.running.length;
    this.#free = minus(node, running);
    const blocked = node.placed.findIndex((share) => !this.#hold(share));
    this.claimable = blocked === -1 ? node.placed.length : blocked;
    this.#inFlight = node.placed.reduce(sum, running);
    this.#unclaimed = node.placed.length;
    this.#waiting = node.placed.length - this.claimable;
    this.#held = [...node.running, ...node.placed];
  }

  /** Whether the node has room for it when it is idle, and could run it at all. */
  couldRun(job: Needs): boolean {
    return this.suits(job) && fits(job, this.node);
  }

  /** The same, whatever its size. */
  suits({ architecture, monitoring, namesSecrets, boundNodeId, nodeFailures }: Needs): boolean {
    const { node } = this;
    return (
      node.closedBy === null &&
      architecture === node.architecture &&
      (boundNodeId ?? node.id) === node.id &&
      (monitoring === null || node.offeredMonitorings.includes(monitoring)) &&
      (!namesSecrets || node.opensSecrets) &&
      !nodeFailures.some(({ nodeId, atMs }) => nodeId === node.id && atMs > (node.provedAtMs ?? -Infinity))
    );
  }

  /** Whether it may go here, and shall not as long as another node could run it. */
  isAvoidedBy({ nodeFailures, applicationId }: Needs): boolean {
    const { node } = this;
    return nodeFailures.some(({ nodeId }) => nodeId === node.id) || node.avoidedBy.includes(applicationId);
  }

  /** Whether it could be claimed at once. What waits here already comes first. A hesitant node is tried with one job at a time. */
  startsNow(job: Share & { readonly jobId: string; readonly wallTimeS: number }): boolean {
    if (this.#waiting > 0 || this.#slots <= 0 || !fits(job, this.#free)) return false;
    if (this.node.hesitant && this.#unclaimed > 0) return false;
    // Others may pass whoever reserved the node as long as they delay nothing.
    const { reservation, nowMs } = this;
    return !reservation || reservation.jobId === job.jobId || nowMs + job.wallTimeS * 1000 <= reservation.freeAtMs;
  }

  /** Whether it may wait here for the next slot: no more than its part of the node, so that the next slot is enough. */
  mayWait(job: Share): boolean {
    const { node } = this;
    const places = Math.min(node.slots, node.turnover) - this.#waiting;
    if (this.reservation || node.hesitant || places <= 0) return false;
    const inFlight = sum(this.#inFlight, job);
    return KINDS.every((kind) => job[kind] <= node[kind] / node.slots && inFlight[kind] <= WAITING_FACTOR * node[kind]);
  }

  take(job: Share & { readonly jobId: string; readonly wallTimeS: number }): void {
    if (this.startsNow(job)) this.#hold(job);
    else this.#waiting++;
    this.#unclaimed++;
    this.#inFlight = sum(this.#inFlight, job);
    this.#held.push({ ...job, endsAtMs: this.nowMs + job.wallTimeS * 1000 });
  }

  /** How many jobs can be placed here at most, however small. */
  get places(): number {
    const { slots, turnover } = this.node;
    return Math.max(0, this.#slots) + Math.max(0, Math.min(slots, turnover) - this.#waiting);
  }

  /** When enough is free for the job at the latest, if nothing more comes. */
  freeAtMs(job: Share): number {
    let free: Share = minus(this.node, this.#held.reduce(sum, NOTHING));
    let slots = this.node.slots - this.#held.length;
    let atMs = this.nowMs;
    for (const held of this.#held.toSorted((a, b) => a.endsAtMs - b.endsAtMs)) {
      if (slots > 0 && fits(job, free)) break;
      free = sum(free, held);
      slots++;
      atMs = Math.max(atMs, held.endsAtMs);
    }
    return atMs;
  }

  /** Whether it would fit whichever of the jobs here ended first: then its turn comes without a reservation. */
  fitsAfterAnyEnd(job: Share): boolean {
    const free = minus(this.node, this.#held.reduce(sum, NOTHING));
    const slots = this.node.slots - this.#held.length;
    return this.#held.every((held) => slots + 1 > 0 && fits(job, sum(free, held)));
  }

  /** From 0, idle; 1 is full, more with what waits. */
  use(): number {
    const { node } = this;
    const slots = (node.running.length + this.#unclaimed) / node.slots;
    return Math.max(slots, ...KINDS.map((kind) => this.#inFlight[kind] / node[kind]));
  }

  /** What is free now. */
  get free(): Share {
    return this.#free;
  }

  /** False, and nothing is held, where there is no room. */
  #hold(share: Share): boolean {
    if (this.#slots <= 0 || !fits(share, this.#free)) return false;
    this.#slots--;
    this.#free = minus(this.#free, share);
    return true;
  }
}
