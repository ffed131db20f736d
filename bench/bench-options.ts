/** What the command line says to a bench. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LEVEL_NAMES, type LevelName } from './levels.js';
import { PROGRAM_NAMES, type ProgramName } from './program-names.js';
import { PARTS } from './throughput-report.js';

export interface BenchOptions {
  /** Undefined: as many as the bench needs to prove something. */
  readonly blocks: number | undefined;
  readonly jobs: number;
  readonly programs: readonly ProgramName[];
  readonly levels: readonly LevelName[];
  readonly seed: number;
  readonly stop: AbortSignal;
  readonly log: (message: string) => void;
}

export const BENCH_NAMES = ['enforce', 'monitoring', 'throughput'] as const;
export type BenchName = (typeof BENCH_NAMES)[number];

export const DEFAULT_JOBS = 200;

export const BENCH_HELP = `usage: npm run bench -- <bench> [options]
benches
  enforce      nanoseconds per system call, and the wall time of examples/edf-normalize, at the levels none, enforce,
               audit and syscalls and under strace: about 20 minutes
  monitoring   nanoseconds per system call, and the wall time of four different programs, at every level of enforcement
               and monitoring, under strace, and under bpftrace where it is installed: about 20 minutes
  throughput   ${DEFAULT_JOBS} jobs of /bin/true through the API, the queue and a worker, against as many by "docker run"
options
  --blocks <n> blocks of the enforce (default 100) and the monitoring bench (default 80); fewer prove nothing
  --programs <name,...> programs of the monitoring bench (default, and to prove something, all of them):
               ${PROGRAM_NAMES.join(', ')}
  --levels <name,...> levels of the monitoring bench beside none (default, and to prove something, all of them):
               ${LEVEL_NAMES.slice(1, 6).join(', ')},
               ${LEVEL_NAMES.slice(6).join(', ')}
  --jobs <n>   jobs of the throughput bench (default ${DEFAULT_JOBS}, a multiple of ${PARTS}); fewer prove nothing
  --seed <n>   order of the runs and resampling (default: a random one, which is printed)
Each prints a table and writes .porin/bench/<bench>.json. The machine should do nothing else meanwhile.
exit codes: 0 all bars reached, 1 a bar not reached, 2 wrong usage, 3 too noisy to tell, or too little was measured,
4 the bench could not be carried out`;

export class UsageError extends Error {}

export type CommandLine =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'bench';
      readonly name: BenchName;
      readonly options: Omit<BenchOptions, 'stop' | 'log'>;
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
      blocks: wholeNumber('--blocks', values.blocks, 1, 100_000),
      jobs,
      programs: chosen('--programs', values.programs, PROGRAM_NAMES),
      levels: chosen('--levels', values.levels, LEVEL_NAMES),
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
        programs: { type: 'string' },
        levels: { type: 'string' },
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

/** In the order of `names`, whatever the order on the command line. */
function chosen<const Name extends string>(
  option: string,
  text: string | undefined,
  names: readonly Name[],
): readonly Name[] {
  if (text === undefined) return names;
  const wanted = text.split(',');
  const unknown = wanted.find((name) => !names.some((known) => known === name));
  if (unknown !== undefined) throw new UsageError(`${option}: there is no "${unknown}", only ${names.join(', ')}`);
  return names.filter((name) => wanted.includes(name));
}
