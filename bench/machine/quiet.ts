/** Waits for moments in which nobody else uses the machine. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { busyShare } from './busy-share.js';

/** Of all processors' time. */
const QUIET_SHARE = 0.1;
const SAMPLE_MS = 120;
/** For one run: the block that it belongs to must not be torn apart. */
const LONGEST_WAIT_MS = 30_000;

/**
 * Before a run, never after one: what is waited for cannot depend on what is measured. When its patience over all waits
 * is used up it waits no more, and the control tells whether the noise was too much.
 */
export class Quiet {
  #leftMs: number;

  constructor(private readonly patienceMs: number) {
    this.#leftMs = patienceMs;
  }

  get waitedMs(): number {
    return this.patienceMs - this.#leftMs;
  }

  async wait(stop: AbortSignal): Promise<void> {
    const end = performance.now() + Math.min(this.#leftMs, LONGEST_WAIT_MS);
    for (let startedAt = performance.now(); startedAt < end; startedAt = performance.now()) {
      stop.throwIfAborted();
      const before = readFileSync('/proc/stat', 'utf8');
      await sleep(SAMPLE_MS);
      if (busyShare(before, readFileSync('/proc/stat', 'utf8')) <= QUIET_SHARE) return;
      this.#leftMs = Math.max(0, this.#leftMs - (performance.now() - startedAt));
    }
  }
}
