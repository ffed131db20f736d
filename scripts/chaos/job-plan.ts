/** Which jobs chaos submits, when, and how each of them should end: a pure function of the seed. */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { type FinalJobState } from '#lib/jobs';
import { seededRandom } from '#lib/overhead';

const MIB = 1024 ** 2;
/** Nobody listens there: no node can pull from it. */
const POISONOUS_IMAGE = '127.0.0.1:9/chaos/poison:1';

export interface PlannedJob {
  /** Of the submission; stands in the output too. */
  readonly key: string;
  readonly kind: JobKind;
  readonly atMs: number;
  /** As POST /api/v1/jobs takes it. */
  readonly request: object;
  /** In any of these a job of this kind may rightly end. */
  readonly mayEnd: readonly FinalJobState[];
  /** Whether the submission may rightly be refused. */
  readonly mayBeRefused: boolean;
  /** Name of the published file, below the outputs; its text begins with the key. */
  readonly output: string | undefined;
  /** After its submission. */
  readonly cancelAfterMs: number | undefined;
}

export interface JobPlace {
  readonly image: string;
  /** Directories. */
  readonly inputs: string;
  readonly outputs: string;
  /** Memory that only one node has, bytes. */
  readonly largeBytes: number;
}

/** Of 100 jobs. */
const SHARES = {
  true: 24,
  output: 30,
  input: 16,
  slow: 12,
  large: 6,
  canceled: 5,
  fails: 4,
  poisonous: 2,
  impossible: 1,
};
export type JobKind = keyof typeof SHARES;

/** What makes a kind of job differ from `true`. `text`: what its output begins with. */
interface Shape {
  readonly script?: (random: number) => string;
  readonly hasOutput?: boolean;
  readonly hasInput?: boolean;
  readonly image?: string;
  readonly mayEnd?: readonly FinalJobState[];
  readonly mayBeRefused?: boolean;
  readonly memoryBytes?: (place: JobPlace) => number;
  readonly isCanceled?: boolean;
}
const SHAPES: Readonly<Record<JobKind, Shape>> = {
  true: {},
  output: { hasOutput: true },
  input: { hasOutput: true, hasInput: true },
  slow: { hasOutput: true, script: (random) => `sleep ${3 + Math.floor(random * 12)}` },
  large: { hasOutput: true, memoryBytes: ({ largeBytes }) => largeBytes },
  canceled: { hasOutput: true, script: () => 'sleep 20', isCanceled: true, mayEnd: ['CANCELED', 'COMPLETE'] },
  fails: { script: () => 'exit 3', mayEnd: ['EXECUTOR_ERROR'] },
  poisonous: { image: POISONOUS_IMAGE, mayEnd: ['SYSTEM_ERROR', 'EXECUTOR_ERROR'] },
  impossible: {
    memoryBytes: ({ largeBytes }) => largeBytes * 100,
    mayEnd: ['EXECUTOR_ERROR'],
    mayBeRefused: true,
  },
};

/** The name of the input file that the jobs of kind `input` read, and its text. */
export const INPUT = { name: 'sample', text: 'sample\n' };

/** In the order of their submission, which is spread over `withinMs`. */
export function planJobs(count: number, withinMs: number, seed: number, place: JobPlace): readonly PlannedJob[] {
  const random = seededRandom(seed);
  const kinds = Object.entries(SHARES).flatMap(([kind, share]) => Array<JobKind>(share).fill(kind as JobKind));
  return Array.from({ length: count }, (_job, index) => {
    const kind = kinds[Math.floor(random() * kinds.length)] ?? 'true';
    const atMs = Math.round((index / count) * withinMs);
    return plannedJob({ key: `chaos-${index + 1}`, kind, atMs, random, place });
  });
}

function plannedJob({
  key,
  kind,
  atMs,
  random,
  place,
}: Pick<PlannedJob, 'key' | 'kind' | 'atMs'> & {
  readonly random: () => number;
  readonly place: JobPlace;
}): PlannedJob {
  const shape = SHAPES[kind];
  const script = shape.script?.(random());
  return {
    ...{ key, kind, atMs },
    request: {
      name: key,
      executors: [{ image: shape.image ?? place.image, command: command(key, shape, script) }],
      inputs: shape.hasInput ? [{ url: pathToFileURL(join(place.inputs, INPUT.name)).href, path: '/in/sample' }] : [],
      outputs: shape.hasOutput ? [{ url: pathToFileURL(join(place.outputs, key)).href, path: '/out/text' }] : [],
      resources: {
        cpuMilli: 500,
        memoryBytes: shape.memoryBytes?.(place) ?? 64 * MIB,
        diskBytes: 16 * MIB,
        wallTimeS: 120,
      },
    },
    mayEnd: shape.mayEnd ?? ['COMPLETE'],
    mayBeRefused: shape.mayBeRefused ?? false,
    output: shape.hasOutput ? key : undefined,
    cancelAfterMs: shape.isCanceled ? Math.round(random() * 15_000) : undefined,
  };
}

/** The text of an output names its job, its input, and by a random number its attempt. */
function command(key: string, { hasOutput, hasInput }: Shape, script: string | undefined): readonly string[] {
  if (!hasOutput && script === undefined) return ['/bin/true'];
  const write = `echo "${key} ${hasInput ? '$(cat /in/sample)' : 'none'} $(cat /proc/sys/kernel/random/uuid)" > /out/text`;
  return ['/bin/sh', '-c', [...(script === undefined ? [] : [script]), ...(hasOutput ? [write] : [])].join(' && ')];
}
