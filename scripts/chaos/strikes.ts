/** Carries out a plan of faults: each begins at its time and ends at its time, whatever the others do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type PlannedFault } from './fault-plan.js';
import { ALL_FAULTS } from './faults/all-faults.js';
import { type Heal } from './faults/fault.js';
import { type Grid } from './grid.js';

/** A fault that cannot strike or be ended now, because another one is in its way, can soon. */
const TRIES = 20;
const RETRY_MS = 1_000;

export class Strikes {
  /** Of faults that have struck. */
  readonly struck: PlannedFault[] = [];
  readonly #active = new Set<string>();

  constructor(
    private readonly grid: Grid,
    private readonly log: (message: string) => void,
    private readonly stop: AbortSignal,
  ) {}

  /** What is broken now. */
  get active(): readonly string[] {
    return [...this.#active];
  }

  /** Resolves when all have ended; early, but with all of them ended, when it is stopped. Rejects where one cannot be ended. */
  async run(planned: readonly PlannedFault[]): Promise<void> {
    const startedAt = performance.now();
    const ended = planned.map(async (fault) => {
      await this.#pause(fault.atMs - (performance.now() - startedAt));
      if (!this.stop.aborted) await this.#strike(fault);
    });
    const failed = (await Promise.allSettled(ended)).find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #strike(planned: PlannedFault): Promise<void> {
    const fault = ALL_FAULTS.find(({ name }) => name === planned.kind);
    const name = `${planned.kind} (${planned.part})`;
    if (!fault) throw new Error(`there is no fault ${planned.kind}`);
    const heal = await this.#again(name, async () => fault.strike(this.grid, planned.part)).catch((error: unknown) => {
      this.log(`${name} could not strike: ${messageOf(error)}`);
    });
    if (!heal) return;
    this.struck.push(planned);
    this.#active.add(name);
    this.log(`${name}, for ${Math.round(planned.lastsMs / 1000)} s`);
    await this.#pause(planned.lastsMs);
    await this.#heal(name, heal);
  }

  async #heal(name: string, heal: Heal): Promise<void> {
    await this.#again(name, async () => heal());
    this.#active.delete(name);
  }

  async #again<T>(name: string, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (tries === TRIES) throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
        await sleep(RETRY_MS);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.stop }).catch(() => undefined);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
