import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './bench-options.js';
import { LEVEL_NAMES } from './runs/levels.js';
import { PROFILE_LEVELS } from './profiles/report/counts.js';
import { PROGRAM_NAMES } from './programs/program-names.js';
import { UsageError } from '../scripts/setup/option-values.js';

describe('parseCommandLine', () => {
  it('has defaults that prove something, and a seed of its own', () => {
    expect(parseCommandLine(['enforce'])).toEqual({
      kind: 'bench',
      name: 'enforce',
      options: {
        jobs: 200,
        programs: PROGRAM_NAMES,
        levels: LEVEL_NAMES,
        seed: expect.any(Number),
        profiles: {
          applications: undefined,
          levels: PROFILE_LEVELS,
          cases: undefined,
          learnFrom: 'spread',
          mode: 'stages',
          keepGoing: false,
        },
        queue: { queued: [0, 10_000, 110_000, 1_000_000], seconds: 60 },
      },
    });
  });

  it('takes lengths of the queue, the shortest first, and seconds', () => {
    expect(parseCommandLine(['queue', '--queued', '2000,0,2000', '--seconds', '5'])).toMatchObject({
      name: 'queue',
      options: { queue: { queued: [0, 2000], seconds: 5 } },
    });
    expect(() => parseCommandLine(['queue', '--queued', '1,x'])).toThrow(UsageError);
  });

  it('takes the numbers that are given', () => {
    expect(parseCommandLine(['throughput', '--jobs', '20', '--seed', '0', '--blocks=3'])).toMatchObject({
      name: 'throughput',
      options: { blocks: 3, jobs: 20, seed: 0 },
    });
  });

  it('takes a choice of programs and levels, in the order of the table', () => {
    const line = parseCommandLine(['monitoring', '--programs', 'tar', '--levels', 'strace,files', '--blocks', '1']);
    expect(line).toMatchObject({
      name: 'monitoring',
      options: { blocks: 1, programs: ['tar'], levels: ['files', 'strace'] },
    });
  });

  it('takes a choice of applications, levels and cases for the profiles bench', () => {
    const choice = ['--applications', 'samtools,seqtk', '--levels', 'files,syscalls', '--cases', '2'];
    expect(
      parseCommandLine(['profiles', ...choice, '--learn-from', 'first', '--mode', 'direct', '--keep-going']),
    ).toMatchObject({
      name: 'profiles',
      options: {
        levels: LEVEL_NAMES,
        profiles: {
          applications: ['samtools', 'seqtk'],
          levels: ['syscalls', 'files'],
          cases: 2,
          learnFrom: 'first',
          mode: 'direct',
          keepGoing: true,
        },
      },
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
    { args: ['monitoring', '--levels', 'files,'] },
    { args: ['monitoring', '--programs', 'calls'] },
    { args: ['profiles', '--levels', 'strace'] },
    { args: ['profiles', '--learn-from', 'last'] },
    { args: ['profiles', '--mode', 'audit'] },
    { args: ['profiles', '--cases', '0'] },
  ])('refuses $args', ({ args }) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
  });
});
