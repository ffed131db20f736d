import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from './bench-options.js';

describe('parseCommandLine', () => {
  it('has defaults that prove something, and a seed of its own', () => {
    expect(parseCommandLine(['enforce'])).toEqual({
      kind: 'bench',
      name: 'enforce',
      options: { blocks: 100, jobs: 200, seed: expect.any(Number) },
    });
  });

  it('takes the numbers that are given', () => {
    expect(parseCommandLine(['throughput', '--jobs', '20', '--seed', '0', '--blocks=3'])).toMatchObject({
      name: 'throughput',
      options: { blocks: 3, jobs: 20, seed: 0 },
    });
  });

  it.each([['--help'], ['-h'], ['enforce', '--help']])('gives help for %s %s', (...args) => {
    expect(parseCommandLine(args.filter((argument) => argument !== undefined))).toEqual({ kind: 'help' });
  });

  it.each([
    { args: [] },
    { args: ['enforced'] },
    { args: ['enforce', 'throughput'] },
    { args: ['enforce', '--block', '3'] },
    { args: ['enforce', '--blocks', '0'] },
    { args: ['enforce', '--blocks', '1e3'] },
    { args: ['enforce', '--seed', '-1'] },
    { args: ['enforce', '--seed', '4294967296'] },
    { args: ['throughput', '--jobs', '6'] },
  ])('refuses $args', ({ args }) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
  });
});
