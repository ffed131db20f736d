/** Adds up what the test runners report, and writes the closing line. */
import { z } from 'zod';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };
export const ONE_PASSED: Counts = { ...NONE, passed: 1 };
export const ONE_FAILED: Counts = { ...NONE, failed: 1 };
export const ONE_SKIPPED: Counts = { ...NONE, skipped: 1 };

export function sum(all: readonly Counts[]): Counts {
  return all.reduce(
    (total, counts) => ({
      passed: total.passed + counts.passed,
      failed: total.failed + counts.failed,
      skipped: total.skipped + counts.skipped,
    }),
    NONE,
  );
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

const vitestReport = z.object({
  success: z.boolean(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ status: z.string(), fullName: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

/** A file that failed outside its tests (its import, a hook) counts as one failure, and so does any other error. */
export function countVitest(report: unknown): Counts {
  const { success, testResults } = vitestReport.parse(report);
  const counts = sum(
    testResults.map(({ status, assertionResults }) => {
      const passed = assertionResults.filter((test) => test.status === 'passed').length;
      const failed = assertionResults.filter((test) => test.status === 'failed').length;
      const skipped = assertionResults.length - passed - failed;
      return { passed, skipped, failed: failed === 0 && status === 'failed' ? 1 : failed };
    }),
  );
  return !success && counts.failed === 0 ? sum([counts, ONE_FAILED]) : counts;
}

/** A line for each failure, with its file and the first line of what was wrong: a log's end may be all that is kept. */
export function failuresIn(report: unknown): string[] {
  return vitestReport.parse(report).testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const line = (what: string, why = '') => `failed: ${name}: ${what}: ${why.split('\n', 1)[0] ?? ''}`;
    if (failed.length === 0 && status === 'failed') return [line('outside its tests', message)];
    return failed.map(({ fullName, failureMessages }) => line(fullName, failureMessages[0]));
  });
}

/** The end of unittest's output: `Ran 5 tests in 0.1s`, then `OK (skipped=1)` or `FAILED (failures=1, errors=2)`. */
export function countUnittest(output: string): Counts {
  const ran = Number(/^Ran (\d+) tests?/m.exec(output)?.[1] ?? Number.NaN);
  if (Number.isNaN(ran)) return ONE_FAILED;
  const number = (word: string) => Number(new RegExp(`\\b${word}=(\\d+)`).exec(output)?.[1] ?? 0);
  const failed = number('failures') + number('errors') + number('unexpected successes');
  const skipped = number('skipped') + number('expected failures');
  return { passed: Math.max(0, ran - failed - skipped), failed, skipped };
}
