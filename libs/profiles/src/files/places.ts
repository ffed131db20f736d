/** Where one run has its inputs, outputs and temporary files, and the variables that stand for them. */
import { type PathVariable } from '../model/files.js';
import { quoted } from '../kernel/visible-text.js';
import { FileRulesError } from './file-rules-error.js';
import { pathProblem } from './paths.js';

/** Absolute, normalised paths in the container, of files or directories; they may lie in one another. */
export interface Places {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly temporary: readonly string[];
}

/** In the order in which a path that is two of them is taken: what may be written is no input. */
const VARIABLES: readonly (readonly [keyof Places, PathVariable])[] = [
  ['outputs', '{outputs}'],
  ['temporary', '{temporary}'],
  ['inputs', '{inputs}'],
];

export interface Place {
  readonly path: string;
  readonly variable: PathVariable;
}

/**
 * The longest path first.
 * @throws FileRulesError BAD_PLACE
 */
export function placesOf(places: Places): readonly Place[] {
  return VARIABLES.flatMap(([member, variable]) =>
    places[member].map((path) => ({ path: checked(path), variable })),
  ).sort((a, b) => b.path.length - a.path.length);
}

function checked(path: string): string {
  const problem = path === '/' ? 'must not be the root' : pathProblem(path);
  if (problem !== undefined) throw new FileRulesError('BAD_PLACE', `The place ${quoted(path)} of the job ${problem}.`);
  return path;
}
