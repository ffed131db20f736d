/** What the command line says to chaos. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { parsedBy, wholeNumber } from '../setup/option-values.js';

export interface ChaosOptions {
  /** Within which all of it ends. */
  readonly minutes: number;
  readonly jobs: number;
  readonly faults: number;
  /** Names of faults, or parts of them; empty: all. */
  readonly only: readonly string[];
  readonly seed: number;
}

export const ENOUGH_JOBS = 1_000;
export const ENOUGH_FAULTS = 30;
export const DEFAULT_FAULTS = 38;
const LONGEST_MINUTES = 30;

export const CHAOS_HELP = `usage: npm run chaos [-- options]
Runs jobs on a grid of its own with three nodes, two APIs and two dispatchers, breaks one part after another, and counts what
was lost, published twice, left over or failed that need not have failed.
options
  --minutes <n>  within which all of it ends (default and at most ${LONGEST_MINUTES})
  --jobs <n>     jobs (default ${ENOUGH_JOBS}; fewer prove nothing)
  --faults <n>   faults (default ${DEFAULT_FAULTS}; fewer than ${ENOUGH_FAULTS} prove nothing)
  --only <name,...> faults whose name contains one of these, such as "redis,engine killed"
  --seed <n>     order of the faults and of the jobs (default: a random one, which is printed)
It prints a table and writes .porin/chaos.json. Every part of it is private, and is removed at the end.
exit codes: 0 nothing was lost, published twice, stuck, failed in vain or in need of a hand, 1 something was, 2 wrong usage,
3 all was well, but too little was done to prove anything, 4 it could not be carried out`;

export type CommandLine = { readonly kind: 'help' } | ({ readonly kind: 'chaos' } & ChaosOptions);

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const values = parsed(args);
  if (values.help) return { kind: 'help' };
  return {
    kind: 'chaos',
    minutes: wholeNumber('--minutes', values.minutes, 3, LONGEST_MINUTES) ?? LONGEST_MINUTES,
    jobs: wholeNumber('--jobs', values.jobs, 1, 100_000) ?? ENOUGH_JOBS,
    faults: wholeNumber('--faults', values.faults, 0, 1_000) ?? DEFAULT_FAULTS,
    only: values.only?.split(',') ?? [],
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1) ?? randomInt(2 ** 32),
  };
}

function parsed(args: readonly string[]) {
  return parsedBy(
    () =>
      parseArgs({
        args: [...args],
        options: {
          help: { type: 'boolean', short: 'h', default: false },
          minutes: { type: 'string' },
          jobs: { type: 'string' },
          faults: { type: 'string' },
          only: { type: 'string' },
          seed: { type: 'string' },
        },
      }).values,
  );
}
