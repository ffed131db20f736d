import { describe, expect, it } from 'vitest';
import { type MeasuredRun, overheadReport } from './overhead-report.js';
import { seededRandom } from './statistics.js';

const NONE = { enforcement: 'none', monitoring: 'none' };
const ENFORCE = { enforcement: 'enforce', monitoring: 'none' };
const SYSCALLS = { enforcement: 'none', monitoring: 'syscalls' };

function runs(level: MeasuredRun['level'], walls: readonly number[], other: Partial<MeasuredRun> = {}): MeasuredRun[] {
  const run = { level, build: 'b', inputsDigest: 'i', node: 'n', userUs: 1, systemUs: 1, cores: 2 };
  return walls.map((wallUs) => ({ ...run, wallUs, ...other }));
}
const only = (report: ReturnType<typeof overheadReport>, level: MeasuredRun['level']) =>
  report.find((entry) => entry.level.enforcement === level.enforcement && entry.level.monitoring === level.monitoring);

describe('overheadReport', () => {
  it('has n, median and ratio of every level, the baseline first', () => {
    const report = overheadReport([...runs(ENFORCE, [110, 120, 130]), ...runs(NONE, [100, 90, 110])]);
    expect(report).toEqual([
      { level: NONE, n: 3, medianWallUs: 100, ratio: 1, groups: 1, comparedRuns: 3, reason: null },
      { level: ENFORCE, n: 3, medianWallUs: 120, ratio: 1.2, groups: 1, comparedRuns: 3, reason: null },
    ]);
  });

  it('compares within groups: larger inputs at one level do not look like overhead', () => {
    const report = overheadReport([
      ...runs(NONE, [100, 100, 100]),
      ...runs(NONE, [10_000], { inputsDigest: 'large' }),
      ...runs(ENFORCE, [101]),
      ...runs(ENFORCE, [10_100, 10_100, 10_100], { inputsDigest: 'large' }),
    ]);
    expect(only(report, ENFORCE)?.ratio).toBeCloseTo(1.01, 12);
    expect(only(report, ENFORCE)).toMatchObject({ n: 4, groups: 2, comparedRuns: 4 });
  });

  it('weighs groups alike, however many runs they have', () => {
    const report = overheadReport([
      ...['x', 'y', 'z'].flatMap((node) => runs(NONE, [100], { node })),
      ...runs(ENFORCE, Array<number>(50).fill(300), { node: 'x' }),
      ...runs(ENFORCE, [110], { node: 'y' }),
      ...runs(ENFORCE, [110], { node: 'z' }),
    ]);
    expect(only(report, ENFORCE)).toMatchObject({ ratio: 1.1, groups: 3, comparedRuns: 52, medianWallUs: 300 });
  });

  it.each([
    ['build', { build: 'other' }],
    ['inputs', { inputsDigest: 'other' }],
    ['node', { node: 'other' }],
    ['build, node', { build: 'other', node: 'other' }],
  ])('has no ratio, and says why, where the %s differ', (words, other) => {
    const entry = only(overheadReport([...runs(NONE, [100]), ...runs(ENFORCE, [110], other)]), ENFORCE);
    expect(entry).toMatchObject({ ratio: null, groups: 0, comparedRuns: 0, n: 1 });
    expect(entry?.reason).toBe(`no run at enforcement none and monitoring none has the same ${words}`);
  });

  it('says so where each is equal to some baseline but never all at once', () => {
    const baselines = [...runs(NONE, [1], { node: 'x', build: 'x' }), ...runs(NONE, [1], { node: 'n', build: 'x' })];
    const more = runs(NONE, [1], { node: 'x' });
    const entry = only(overheadReport([...baselines, ...more, ...runs(ENFORCE, [1])]), ENFORCE);
    expect(entry?.reason).toMatch(/build, inputs and node at once/);
  });

  it('says so where there is no baseline at all', () => {
    expect(overheadReport(runs(SYSCALLS, [100]))[0]).toMatchObject({
      ratio: null,
      reason: expect.stringMatching(/there is no run at/),
    });
  });

  it('leaves runs without a wall time out, and is empty for none', () => {
    expect(overheadReport(runs(NONE, [0, Number.NaN, -1]))).toEqual([]);
    expect(overheadReport([])).toEqual([]);
  });

  it('does not compare runs that used more processor time than their wall time has on all cores', () => {
    const impossible = runs(ENFORCE, [33], { userUs: 2209, systemUs: 0 });
    const busy = runs(ENFORCE, [1200, 1200], { userUs: 2200, systemUs: 100 });
    const entry = only(overheadReport([...runs(NONE, [1000]), ...impossible, ...busy]), ENFORCE);
    expect(entry).toMatchObject({ n: 2, medianWallUs: 1200, ratio: 1.2, comparedRuns: 2 });
  });

  it('finds a simulated ratio over groups of very different sizes', () => {
    const random = seededRandom(17);
    const noisy = (wallUs: number) => wallUs * (1 + 0.02 * (random() - 0.5));
    const simulated = Array.from({ length: 40 }, (_group, index) => {
      const size = 1e5 * (1 + 50 * random());
      const other = { inputsDigest: `i${index}` };
      return [
        ...runs(NONE, [noisy(size), noisy(size), noisy(size)], other),
        ...runs(SYSCALLS, [noisy(size * 1.05), noisy(size * 1.05)], other),
      ];
    }).flat();
    const ratio = only(overheadReport(simulated), SYSCALLS)?.ratio ?? 0;
    expect(Math.abs(ratio - 1.05)).toBeLessThan(0.005);
  });
});
