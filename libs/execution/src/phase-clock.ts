/** Measures the phases of one executor run, each from its beginning to the next one's. */
import { type ExecutorRunReport } from './executor-run.js';

type Phase = keyof ExecutorRunReport['phasesMs'];

export class PhaseClock {
  readonly #totals: Record<Phase, number> = { create: 0, start: 0, payload: 0, remove: 0 };
  #phase: Phase = 'create';
  #since = performance.now();

  enter(phase: Phase): void {
    const now = performance.now();
    this.#totals[this.#phase] += now - this.#since;
    this.#phase = phase;
    this.#since = now;
  }

  /** Of all phases, up to now. */
  totalsMs(): Readonly<Record<Phase, number>> {
    this.enter(this.#phase);
    return { ...this.#totals };
  }
}
