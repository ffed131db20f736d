/** Allocates CPU, memory, disk and one slot (one uid) to each job of this node. */

export interface Share {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}
const KINDS = ['cpuMilli', 'memoryBytes', 'diskBytes'] as const satisfies readonly (keyof Share)[];

export interface Holding {
  /** 0 to slots - 1, nobody else's until released. */
  readonly slot: number;
  /** May be called twice. */
  release(): void;
}

interface Waiting {
  readonly share: Share;
  readonly grant: (holding: Holding) => void;
}

/** First come, first served: a large job is not starved by small ones that would still fit. */
export class Resources {
  readonly #slots: number[];
  #free: Share;
  #queue: Waiting[] = [];

  constructor(
    readonly total: Share,
    slots: number,
  ) {
    this.#free = total;
    this.#slots = Array.from({ length: slots }, (_, slot) => slot);
  }

  /** What of the share this node does not have even when it is idle. */
  lacking(share: Share): keyof Share | undefined {
    return KINDS.find((kind) => share[kind] > this.total[kind]);
  }

  /** Waits until the share and a slot are free. Rejects with the signal's reason, and with RangeError what never fits. */
  async take(share: Share, signal: AbortSignal): Promise<Holding> {
    signal.throwIfAborted();
    const lacking = this.lacking(share);
    if (lacking) throw new RangeError(`this node does not have the ${lacking} of the job`);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#queue = this.#queue.filter((other) => other !== waiting);
        reject(signal.reason as Error);
        this.#serve();
      };
      const waiting: Waiting = {
        share,
        grant: (holding) => {
          signal.removeEventListener('abort', leave);
          resolve(holding);
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(waiting);
      this.#serve();
    });
  }

  #serve(): void {
    for (let next = this.#queue[0]; next && this.#fits(next.share); next = this.#queue[0]) {
      this.#queue.shift();
      next.grant(this.#hold(next.share));
    }
  }

  #fits(share: Share): boolean {
    return this.#slots.length > 0 && KINDS.every((kind) => share[kind] <= this.#free[kind]);
  }

  #hold(share: Share): Holding {
    const slot = this.#slots.shift() as number;
    this.#free = combine(this.#free, share, -1);
    let held = true;
    return {
      slot,
      release: () => {
        if (!held) return;
        held = false;
        this.#slots.push(slot);
        this.#free = combine(this.#free, share, 1);
        this.#serve();
      },
    };
  }
}

function combine(a: Share, b: Share, sign: 1 | -1): Share {
  return {
    cpuMilli: a.cpuMilli + sign * b.cpuMilli,
    memoryBytes: a.memoryBytes + sign * b.memoryBytes,
    diskBytes: a.diskBytes + sign * b.diskBytes,
  };
}
