/** Carries a plan of blocks out and keeps every run's figures; none is left out afterwards. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type BenchProgram, type BenchRun, type BenchRuns, type Filters } from './bench-runs.js';
import { type Block, hasStrace, levelOf, type Slot } from './block-plan.js';
import { parseCalls } from './calls-program.js';
import { type CallsRun, type PayloadRun } from './enforce-report.js';
import { Progress } from './progress.js';
import { type Quiet } from './quiet.js';

interface Measured {
  readonly program: BenchProgram;
  readonly filters: Filters;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export class Measurement {
  readonly payloadRuns: PayloadRun[] = [];
  readonly callsRuns: CallsRun[] = [];
  /** Level and call -> how often it was outside the profile. There should be none: then nobody measured a refusal. */
  readonly denials = new Map<string, number>();

  constructor(
    private readonly runs: BenchRuns,
    private readonly programs: { readonly edf: Measured; readonly calls: Measured },
    private readonly quiet: Quiet,
    private readonly stop: AbortSignal,
  ) {}

  async run(blocks: readonly Block[], what: string): Promise<void> {
    const progress = new Progress(what, blocks.length);
    for (const [done, block] of blocks.entries()) {
      progress.report(done);
      for (const slot of block.slots) {
        const { usage } = await this.#measure(this.programs.edf, slot);
        this.payloadRuns.push({ block: block.index, slot, wallUs: usage.wallUs });
      }
      if (hasStrace(block.index)) await this.#measureCalls(block);
    }
    progress.report(blocks.length);
  }

  async #measureCalls(block: Block): Promise<void> {
    for (const slot of block.slots) {
      const { stdout } = await this.#measure(this.programs.calls, slot);
      this.callsRuns.push({ slot, nsPerCall: parseCalls(stdout) });
    }
  }

  async #measure({ program, filters }: Measured, slot: Slot): Promise<BenchRun> {
    collectGarbage();
    await this.quiet.wait(this.stop);
    this.stop.throwIfAborted();
    const run = await this.runs.run(program, levelOf(slot), filters);
    for (const { call, count } of run.report.denials) {
      const key = `${slot}: ${call}`;
      this.denials.set(key, (this.denials.get(key) ?? 0) + count);
    }
    return run;
  }
}
