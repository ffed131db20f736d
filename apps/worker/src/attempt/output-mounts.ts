/** Which host directory is mounted writable for what a job's executors write. */
import { dirname, relative } from 'node:path/posix';
import { outputDirectory, SCRATCH_PATH } from '#lib/jobs';
import { type Claim, type ClaimedExecutor } from './claim.js';

export interface OutputDirectory {
  /** Absolute path in the container, mounted writable. */
  readonly target: string;
  /** Its name below the attempt's scratch. */
  readonly name: string;
}

export interface OutputPlace {
  readonly directory: OutputDirectory;
  /** Path of the output below the directory. */
  readonly name: string;
}

/** What a job says of where its executors write. */
export type Written = Pick<Claim, 'outputs' | 'volumes'> & {
  readonly executors: readonly Pick<ClaimedExecutor, 'stdout' | 'stderr'>[];
};

/** Every payload may write to it. */
export const SCRATCH_DIRECTORY: OutputDirectory = { target: SCRATCH_PATH, name: 'tmp' };

/** Every directory that must be there when the first executor starts. */
export function writtenDirectories({ outputs, volumes, executors }: Written): readonly string[] {
  const streams = executors.flatMap(({ stdout, stderr }) => [stdout, stderr]).filter((path) => path !== null);
  return [...new Set([...outputs.map(outputDirectory), ...streams.map((path) => dirname(path)), ...volumes])];
}

/** Those to be mounted: none below another, which would hide what the payload writes. */
export function outputDirectories(job: Written): readonly OutputDirectory[] {
  const directories = [...writtenDirectories(job)].sort();
  return directories
    .filter((path) => !directories.some((other) => other !== path && path.startsWith(`${other}/`)))
    .map((target, index) => (target === SCRATCH_PATH ? SCRATCH_DIRECTORY : { target, name: `out-${index}` }));
}

/** In the first that has it. Of a directory itself, the name is "". Throws RangeError for a path that is below none of the directories. */
export function placeOf(path: string, directories: readonly OutputDirectory[]): OutputPlace {
  const directory = directories.find(({ target }) => path === target || path.startsWith(`${target}/`));
  if (!directory) throw new RangeError(`${path} is in no output directory`);
  return { directory, name: relative(directory.target, path) };
}
