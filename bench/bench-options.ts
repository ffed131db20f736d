/** What the command line says to a bench. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { PARTS } from './throughput-report.js';

export interface BenchOptions {
  readonly blocks: number;
  readonly jobs: number;
  readonly seed: number;
  readonly stop: AbortSignal;
  readonly log: (message: string) => void;
}

export const BENCH_NAMES = ['enforce', 'throughput'] as const;
export type BenchName = (typeof BENCH_NAMES)[number];

export const DEFAULT_BLOCKS = 100;
export const DEFAULT_JOBS = 200;

export const BENCH_HELP = `usage: npm run bench -- <bench> [options]
benches
  enforce      nanoseconds per system call, and the wall time of examples/edf-normalize, at the levels none, enforce,
               audit and syscalls and under strace: about 20 minutes
  throughput   ${DEFAULT_JOBS} jobs of /bin/true through the API, the queue and a worker, against as many by "docker run"
options
  --blocks <n> blocks of the enforce bench (default ${DEFAULT_BLOCKS}); fewer are for trying out and prove nothing
  --jobs <n>   jobs of the throughput bench (default ${DEFAULT_JOBS}, a multiple of ${PARTS}); fewer prove nothing
  --seed <n>   order of the runs and resampling (default: a random one, which is printed)
Each prints a table and writes .porin/bench/<bench>.json. The machine should do nothing else meanwhile.
exit codes: 0 all bars reached, 1 a bar not reached, 2 wrong usage, 3 too noisy to tell, or too little was run,
4 the bench could not be carried out`;

export class UsageError extends Error {}

export type CommandLine =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'bench';
      readonly name: BenchName;
      readonly options: Pick<BenchOptions, 'blocks' | 'jobs' | 'seed'>;
    };

/** @throws UsageError */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parsed(args);
  if (values.help) return { kind: 'help' };
  const name = BENCH_NAMES.find((candidate) => candidate === positionals[0]);
  if (!name || positionals.length > 1) {
    throw new UsageError(positionals.length === 0 ? 'which bench?' : `there is no bench "${positionals.join(' ')}"`);
  }
  const jobs = wholeNumber('--jobs', values.jobs, PARTS, 100_000) ?? DEFAULT_JOBS;
  if (jobs % PARTS !== 0) throw new UsageError(`--jobs must be a multiple of ${PARTS}`);
  return {
    kind: 'bench',
    name,
    options: {
      blocks: wholeNumber('--blocks', values.blocks, 1, 100_000) ?? DEFAULT_BLOCKS,
      jobs,
      seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1) ?? randomInt(2 ** 32),
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        blocks: { type: 'string' },
        jobs: { type: 'string' },
        seed: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(option: string, text: string | undefined, minimum: number, maximum: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`${option} must be a whole number from ${minimum} to ${maximum}`);
}
