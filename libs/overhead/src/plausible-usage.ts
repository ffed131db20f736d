/** Whether a run's wall and processor time can both be true: a run where they cannot is not compared with others. */

/** Microseconds, of all the run's processes and threads together. */
export interface Usage {
  readonly wallUs: number;
  readonly userUs: number;
  readonly systemUs: number;
}

/**
 * Linux adds a thread's processor time up in nanoseconds (sum_exec_runtime) and splits only the sum into user and system by
 * timer ticks, so the sum may be compared. Two differences remain: the clocks' rates, while NTP slews the wall clock, and the
 * few microseconds between reading the two clocks.
 */
const TOLERANCE_RATIO = 0.01;
const TOLERANCE_US = 100;

/**
 * `cores`: how many may have worked for it at once, its threads or the machine's cores, whichever are fewer.
 *
 * @example isPlausibleUsage({ wallUs: 33, userUs: 2209, systemUs: 0 }, 2) // false: two cores have 66 us in that time
 */
export function isPlausibleUsage({ wallUs, userUs, systemUs }: Usage, cores: number): boolean {
  return wallUs > 0 && userUs + systemUs <= wallUs * cores * (1 + TOLERANCE_RATIO) + TOLERANCE_US;
}
