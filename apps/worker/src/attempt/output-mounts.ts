/** Which host directory is mounted writable for which outputs. */
import { dirname, relative } from 'node:path/posix';

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

/** One directory for each that holds an output, but none below another: that would hide what the payload writes. */
export function outputDirectories(paths: readonly string[]): readonly OutputDirectory[] {
  const parents = [...new Set(paths.map((path) => dirname(path)))].sort();
  return parents
    .filter((path) => !parents.some((other) => other !== path && path.startsWith(`${other}/`)))
    .map((target, index) => ({ target, name: `out-${index}` }));
}

/** Throws RangeError for a path that is below none of the directories. */
export function placeOf(path: string, directories: readonly OutputDirectory[]): OutputPlace {
  const directory = directories.find(({ target }) => path.startsWith(`${target}/`));
  if (!directory) throw new RangeError(`${path} is in no output directory`);
  return { directory, name: relative(directory.target, path) };
}
