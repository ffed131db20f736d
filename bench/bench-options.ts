/** What the command line says to a bench. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { PROFILE_LEVELS, type ProfileLevel } from './profiles/report/counts.js';
import { LEARN_FROM, type LearnFrom } from './profiles/cases/learn-from.js';
import { MODE_NAMES, type ModeName } from './profiles/learn/modes.js';
import { LEVEL_NAMES, type LevelName } from './runs/levels.js';
import { PROGRAM_NAMES, type ProgramName } from './programs/program-names.js';
import { ENOUGH_SECONDS, QUEUE_LENGTHS } from './queue/queue-report.js';
import { PARTS } from './throughput/throughput-report.js';
import { parsedBy, UsageError, wholeNumber } from '../scripts/setup/option-values.js';

export interface BenchOptions {
  /** Undefined: as many as the bench needs to prove something. */
  readonly blocks: number | undefined;
  readonly jobs: number;
  readonly programs: readonly ProgramName[];
  readonly levels: readonly LevelName[];
  readonly seed: number;
  readonly profiles: ProfilesOptions;
  readonly queue: QueueOptions;
  readonly stop: AbortSignal;
  readonly log: (message: string) => void;
}

/** Of the bench of that name. */
export interface QueueOptions {
  /** Jobs that wait while others are run, ascending. */
  readonly queued: readonly number[];
  /** Of each of the three runs at the rate that is to be held. */
  readonly seconds: number;
}

/** Of the bench of that name. */
export interface ProfilesOptions {
  /** Undefined: all of the corpus. */
  readonly applications: readonly string[] | undefined;
  readonly levels: readonly ProfileLevel[];
  /** Held out cases of each application, at most; undefined: all. */
  readonly cases: number | undefined;
  readonly learnFrom: LearnFrom;
  readonly mode: ModeName;
  /** After an application that could not be measured at a level. */
  readonly keepGoing: boolean;
}

export const BENCH_NAMES = ['enforce', 'monitoring', 'profiles', 'queue', 'throughput'] as const;
export type BenchName = (typeof BENCH_NAMES)[number];

export const DEFAULT_JOBS = 200;

export const BENCH_HELP = `usage: npm run bench -- <bench> [options]
benches
  enforce      nanoseconds per system call, and the wall time of examples/edf-normalize, at the levels none, enforce,
               audit and syscalls and under strace: about 20 minutes
  monitoring   nanoseconds per system call, and the wall time of four different programs, at every level of enforcement
               and monitoring, under strace, and under bpftrace where it is installed: about 20 minutes
  profiles     learns profiles of real applications, and counts what is refused to honest jobs under them: about 30 minutes
  queue        submissions and tasks of TES a second, their latency, reads a second, jobs a second and the time of one with
               up to a million queued, and the memory of the programs: about 30 minutes
  throughput   ${DEFAULT_JOBS} jobs of /bin/true through the API, the queue and a worker, against as many by "docker run"
options
  --blocks <n> blocks of the enforce (default 100) and the monitoring bench (default 80); fewer prove nothing
  --programs <name,...> programs of the monitoring bench (default, and to prove something, all of them):
               ${PROGRAM_NAMES.join(', ')}
  --levels <name,...> levels of the monitoring bench beside none (default, and to prove something, all of them):
               ${LEVEL_NAMES.slice(1, 6).join(', ')},
               ${LEVEL_NAMES.slice(6).join(', ')}
               for the profiles bench: ${PROFILE_LEVELS.join(', ')}
  --applications <name,...> applications of the profiles bench (default, and to prove something, all of the corpus)
  --cases <n>  cases of each application that the profiles bench enforces (default, and to prove something, all)
  --learn-from <${LEARN_FROM.join('|')}> cases that the profiles bench learns from: the first of each kind (default), or
               the first three
  --mode <${MODE_NAMES.join('|')}>  how the profiles bench gets from a proposed profile to enforced jobs: by an audit that
               Porin ends when it is quiet (default), or at once
  --keep-going the profiles bench goes on after an application that cannot be measured
  --jobs <n>   jobs of the throughput bench (default ${DEFAULT_JOBS}, a multiple of ${PARTS}); fewer prove nothing
  --queued <n,...> jobs that wait meanwhile, for the queue bench (default, and to prove something, ${QUEUE_LENGTHS.join(',')})
  --seconds <n> of each run of the queue bench at the rate to be held (default ${ENOUGH_SECONDS}); fewer prove nothing
  --seed <n>   order of the runs and resampling (default: a random one, which is printed)
Each prints a table and writes .porin/bench/<bench>.json. The machine should do nothing else meanwhile.
exit codes: 0 all bars reached, 1 a bar not reached, 2 wrong usage, 3 too noisy to tell, or too little was measured,
4 the bench could not be carried out`;

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
  const isOfProfiles = name === 'profiles';
  return {
    kind: 'bench',
    name,
    options: {
      blocks: wholeNumber('--blocks', values.blocks, 1, 100_000),
      jobs,
      programs: chosen('--programs', values.programs, PROGRAM_NAMES),
      levels: chosen('--levels', isOfProfiles ? undefined : values.levels, LEVEL_NAMES),
      seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1) ?? randomInt(2 ** 32),
      profiles: {
        applications: values.applications?.split(','),
        levels: chosen('--levels', isOfProfiles ? values.levels : undefined, PROFILE_LEVELS),
        cases: wholeNumber('--cases', values.cases, 1, 1000),
        learnFrom: oneOf('--learn-from', values['learn-from'], LEARN_FROM),
        mode: oneOf('--mode', values.mode, MODE_NAMES),
        keepGoing: values['keep-going'],
      },
      queue: {
        queued: queueLengths(values.queued),
        seconds: wholeNumber('--seconds', values.seconds, 1, 3600) ?? ENOUGH_SECONDS,
      },
    },
  };
}

function parsed(args: readonly string[]) {
  return parsedBy(() =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        blocks: { type: 'string' },
        jobs: { type: 'string' },
        programs: { type: 'string' },
        levels: { type: 'string' },
        applications: { type: 'string' },
        cases: { type: 'string' },
        'learn-from': { type: 'string' },
        mode: { type: 'string' },
        'keep-going': { type: 'boolean', default: false },
        queued: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
      },
    }),
  );
}

function queueLengths(text: string | undefined): readonly number[] {
  if (text === undefined) return QUEUE_LENGTHS;
  const lengths = text.split(',').map((each) => wholeNumber('--queued', each, 0, 10_000_000) ?? 0);
  return [...new Set(lengths)].sort((a, b) => a - b);
}

/** The first one by default. */
function oneOf<const Name extends string>(
  option: string,
  text: string | undefined,
  names: readonly [Name, ...Name[]],
): Name {
  if (text === undefined) return names[0];
  const found = names.find((name) => name === text);
  if (found === undefined) throw new UsageError(`${option} must be ${names.join(' or ')}`);
  return found;
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
