/** Carries a plan of blocks out and keeps the figures of every run that can be true; none is left out afterwards. */
import { cpus } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isPlausibleUsage } from '#lib/overhead';
import { type BenchProgram, type BenchRun, type BenchRuns } from '../runs/bench-runs.js';
import { type Block } from './block-plan.js';
import { parseCalls } from '../programs/calls.js';
import { levelOf, type Slot } from '../runs/levels.js';
import { type MeasuredRun } from './measured-runs.js';
import { type Policies } from '../runs/policies.js';
import { Progress } from './progress.js';
import { type Quiet } from '../machine/quiet.js';
import { type Kind, timeLeftMs } from './time-left.js';

export interface MeasuredProgram {
  readonly program: BenchProgram;
  readonly policies: Policies;
  /** It is there to make them. */
  readonly refused?: readonly string[];
}

const CORES = cpus().length;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export class Measurement {
  readonly runs: MeasuredRun[] = [];
  /** Level and call -> how often it was outside the profile. There should be none: then nobody measured a refusal. */
  readonly denials = new Map<string, number>();
  /** Program and level -> why the recordings of its runs are partial: what was not recorded cost nothing. */
  readonly partial = new Map<string, readonly string[]>();
  /** Program and level -> why it was given up. */
  readonly failures = new Map<string, string>();
  readonly #took: (Kind & { readonly ms: number })[] = [];

  constructor(
    private readonly benchRuns: BenchRuns,
    private readonly programs: readonly MeasuredProgram[],
    private readonly quiet: Quiet,
    private readonly stop: AbortSignal,
  ) {}

  /** @throws Error when a baseline cannot be run */
  async run(blocks: readonly Block[], what: string): Promise<void> {
    const progress = new Progress(what, blocks.length);
    const rest = blocks.map(({ rounds }) =>
      rounds.flatMap(({ program, slots }) => slots.map((slot) => ({ program, slot }))),
    );
    for (const [done, block] of blocks.entries()) {
      const kinds = rest[done] ?? [];
      const later = rest.slice(done + 1).flat();
      for (const [index, kind] of kinds.entries()) {
        progress.report(done, timeLeftMs([...kinds.slice(index), ...later], this.#took));
        await this.#measure(block.index, kind);
      }
    }
    progress.report(blocks.length, 0);
  }

  async #measure(block: number, kind: Kind): Promise<void> {
    const key = `${kind.program} at ${kind.slot}`;
    const measured = this.programs.find(({ program }) => program.name === kind.program);
    if (!measured || this.failures.has(key)) return;
    collectGarbage();
    await this.quiet.wait(this.stop);
    this.stop.throwIfAborted();
    const start = performance.now();
    try {
      const run = await this.benchRuns.run(measured.program, levelOf(kind.slot), measured.policies);
      this.#keep(block, kind.slot, measured, run);
      this.#took.push({ ...kind, ms: performance.now() - start });
    } catch (error) {
      if (this.stop.aborted || levelOf(kind.slot) === 'none') throw error;
      this.failures.set(key, error instanceof Error ? error.message : String(error));
    }
  }

  #keep(block: number, slot: Slot, { program, refused = [] }: MeasuredProgram, run: BenchRun): void {
    const { report, usage, stdout } = run;
    const denied = new Set(report.denials.map(({ call }) => call));
    const made = slot === 'enforce' ? refused.find((call) => !denied.has(call)) : undefined;
    if (made !== undefined) throw new Error(`${made} was to be refused, and was not`);
    if (isPlausibleUsage(usage, CORES)) {
      this.runs.push({
        program: program.name,
        block,
        slot,
        wallUs: usage.wallUs,
        ...(program.calls && { nsPerCall: parseCalls(stdout, program.calls) }),
      });
    }
    for (const { call, count } of report.denials.filter((denial) => !refused.includes(denial.call))) {
      const key = `${program.name} at ${slot}: ${call}`;
      this.denials.set(key, (this.denials.get(key) ?? 0) + count);
    }
    const reasons = report.recording?.partialReasons ?? [];
    if (reasons.length > 0) this.partial.set(`${program.name} at ${slot}`, reasons);
  }
}
