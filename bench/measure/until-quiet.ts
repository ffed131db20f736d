/** Measures a plan, and more of it for as long as the control is too wide. */
import { aaHalfWidth, AA_HALF_WIDTH_MAXIMUM, DEFAULT_BOOTSTRAP, seededRandom } from '#lib/overhead';
import { type BenchOptions } from '../bench-options.js';
import { planBlocks, type Schedule } from './block-plan.js';
import { baselined, ofProgram, wallUs } from './measured-runs.js';
import { type Measurement } from './measurement.js';
import { pooledRatio } from '../report/pooled.js';

/** If the control is too noisy after all blocks, add blocks in batches, up to a multiple of the plan. */
const MORE_BLOCKS = 20;
const MOST_TIMES = 3;

export interface UntilQuiet {
  readonly measurement: Measurement;
  readonly schedule: Schedule;
  /** What is measured again where the control is too wide. */
  readonly furtherSchedule: Schedule;
  /** Whose control it is. */
  readonly program: string;
  /** Fewer blocks prove nothing, and then no more are measured either. */
  readonly enoughBlocks: number;
}

/** When to stop depends on the control's width alone, which says nothing about the other levels' ratios. */
export async function measureUntilQuiet(
  { measurement, schedule, furtherSchedule, program, enoughBlocks }: UntilQuiet,
  { blocks, seed, log }: Pick<BenchOptions, 'seed' | 'log'> & { readonly blocks: number },
): Promise<void> {
  const random = seededRandom(seed);
  await measurement.run(planBlocks(blocks, schedule, random), 'block');
  const most = blocks < enoughBlocks ? blocks : MOST_TIMES * blocks;
  const halfWidth = () => {
    const control = baselined(ofProgram(measurement.runs, program), 'none', wallUs);
    return control.length === 0 ? 0 : aaHalfWidth(pooledRatio(control, { ...DEFAULT_BOOTSTRAP, seed }));
  };
  for (let done = blocks; done < most && halfWidth() > AA_HALF_WIDTH_MAXIMUM; done += MORE_BLOCKS) {
    log(`the control's half-width is ${(100 * halfWidth()).toFixed(2)} %: measuring more`);
    await measurement.run(planBlocks(MORE_BLOCKS, furtherSchedule, random, done), 'further block');
  }
}
