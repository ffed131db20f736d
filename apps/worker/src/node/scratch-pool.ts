/** The scratch of each slot, kept from one attempt to the next where the next one asks for the same size. */
import { join } from 'node:path';
import { Scratch } from '#lib/execution';

export interface SlotScratch {
  readonly slot: number;
  readonly bytes: number;
  readonly uid: number;
  readonly gid: number;
}

/** Making a file system takes three programs and tens of milliseconds, emptying one that was hardly used takes one. */
export class ScratchPool {
  readonly #kept = new Map<number, { readonly scratch: Scratch; readonly bytes: number }>();
  #made = 0;

  constructor(private readonly workDirectory: string) {}

  /** Empty, and nobody else's until it is given back. */
  async take({ slot, bytes, uid, gid }: SlotScratch): Promise<Scratch> {
    const kept = this.#kept.get(slot);
    this.#kept.delete(slot);
    if (kept?.bytes === bytes) return kept.scratch;
    await kept?.scratch.remove();
    this.#made += 1;
    return Scratch.create({ directory: join(this.workDirectory, `slot-${slot}-${this.#made}`), bytes, uid, gid });
  }

  async giveBack({ slot, bytes }: SlotScratch, scratch: Scratch): Promise<void> {
    if (await scratch.empty().catch(() => false)) this.#kept.set(slot, { scratch, bytes });
    else await scratch.remove();
  }

  /** Removes what is kept. */
  async clear(): Promise<void> {
    const kept = [...this.#kept.values()];
    this.#kept.clear();
    for (const { scratch } of kept) await scratch.remove();
  }
}
