/** What one node has left, while jobs are placed. */

/** Of a job, or of a node. */
export interface Share {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}
export const KINDS = ['cpuMilli', 'memoryBytes', 'diskBytes'] as const satisfies readonly (keyof Share)[];

export interface PlaceableNode extends Share {
  readonly id: string;
  readonly architecture: string;
  readonly slots: number;
  /** Jobs that lately started and ended there: as many messages may wait beyond what can start, at most one a slot. */
  readonly turnover: number;
  /** It left a job unclaimed, or let a lease run out, and has claimed nothing since. */
  readonly suspect: boolean;
  /** Shares of the attempts that are open there. */
  readonly running: readonly Share[];
  /** Shares of the jobs that were placed there and are not claimed, in the order in which they were placed. */
  readonly placed: readonly Share[];
}

/** Beyond what runs, as much again may wait. */
const WAITING_FACTOR = 2;

export class Room {
  /** How many of `node.placed`, from the first on, the node has room for: a worker serves in order. */
  readonly claimable: number;
  /** For this node a job waits that is too large for what is free. Nothing else is placed here. */
  reserved = false;
  #slots: number;
  #free: Share;
  #inFlight: Share;
  #unclaimed: number;
  #waiting: number;

  constructor(readonly node: PlaceableNode) {
    const nothing: Share = { cpuMilli: 0, memoryBytes: 0, diskBytes: 0 };
    const running = node.running.reduce(sum, nothing);
    this.#slots = node.slots - node.running.length;
    this.#free = minus(node, running);
    const blocked = node.placed.findIndex((share) => !this.#hold(share));
    this.claimable = blocked === -1 ? node.placed.length : blocked;
    this.#inFlight = node.placed.reduce(sum, running);
    this.#unclaimed = node.placed.length;
    this.#waiting = node.placed.length - this.claimable;
  }

  /** Whether the node has room for it when it is idle. */
  couldRun(job: Share & { readonly architecture: string }): boolean {
    return job.architecture === this.node.architecture && fits(job, this.node);
  }

  /** Whether it could be claimed at once. What waits here already comes first. A suspect node is tried with one job at a time. */
  startsNow(job: Share): boolean {
    if (this.reserved || this.#waiting > 0 || this.#slots <= 0) return false;
    return fits(job, this.#free) && !(this.node.suspect && this.#unclaimed > 0);
  }

  /** Whether it may wait here for the next slot: no more than its part of the node, so that the next slot is enough. */
  mayWait(job: Share): boolean {
    const { node } = this;
    const places = Math.min(node.slots, node.turnover) - this.#waiting;
    if (this.reserved || node.suspect || places <= 0) return false;
    const inFlight = sum(this.#inFlight, job);
    return KINDS.every((kind) => job[kind] <= node[kind] / node.slots && inFlight[kind] <= WAITING_FACTOR * node[kind]);
  }

  take(job: Share): void {
    if (this.startsNow(job)) this.#hold(job);
    else this.#waiting++;
    this.#unclaimed++;
    this.#inFlight = sum(this.#inFlight, job);
  }

  /** From 0, idle; 1 is full, more with what waits. */
  use(): number {
    const { node } = this;
    const slots = (node.running.length + this.#unclaimed) / node.slots;
    return Math.max(slots, ...KINDS.map((kind) => this.#inFlight[kind] / node[kind]));
  }

  /** Upper bounds of what `startsNow` and `mayWait` say yes to: to look for candidates with. */
  largest(): Share | undefined {
    const part = map((kind) => this.node[kind] / this.node.slots);
    const free = this.startsNow({ cpuMilli: 0, memoryBytes: 0, diskBytes: 0 }) ? this.#free : undefined;
    if (!this.mayWait({ cpuMilli: 0, memoryBytes: 0, diskBytes: 0 })) return free;
    return free ? map((kind) => Math.max(part[kind], free[kind])) : part;
  }

  /** False, and nothing is held, where there is no room. */
  #hold(share: Share): boolean {
    if (this.#slots <= 0 || !fits(share, this.#free)) return false;
    this.#slots--;
    this.#free = minus(this.#free, share);
    return true;
  }
}

export function fits(share: Share, room: Share): boolean {
  return KINDS.every((kind) => share[kind] <= room[kind]);
}

function sum(a: Share, b: Share): Share {
  return map((kind) => a[kind] + b[kind]);
}

function minus(a: Share, b: Share): Share {
  return map((kind) => a[kind] - b[kind]);
}

function map(of: (kind: keyof Share) => number): Share {
  return { cpuMilli: of('cpuMilli'), memoryBytes: of('memoryBytes'), diskBytes: of('diskBytes') };
}
