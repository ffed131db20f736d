/** Folds the files that recordings show into trees that a person can review and that the next input does not break. */
import { type FileRule } from '../model/files.js';
import { type Recording } from '../model/recording.js';
import { areaOf, isBoundary, isShell } from './areas.js';
import { FileRulesError } from './file-rules-error.js';
import { type Need, needsOf } from './needs.js';
import { FILE_RULES_MAXIMUM } from './parse-files.js';
import { isVariable, parentOf, upwards } from './paths.js';
import { byPath, canonicalFiles, inheritedAt } from './rights.js';

/** Files read in one area of libraries, from which on the area is one tree. */
const LIBRARY_FILES = 3;
/** Names of one directory below which something was read, from which on the directory is one tree. */
const READ_NAMES = 6;
/** Programs of one directory that were executed, from which on all of it may be. */
const EXECUTED_FILES = 16;

/**
 * Rules under which everything that the recordings did with success would succeed again, but for what no rule can say
 * (isExpressible). `basedOn`: rules that the result must hold as well. The same whatever the order; more recordings never
 * grant less; and what comes out, put in as `basedOn`, changes nothing.
 *
 * Reading spreads from files to trees, never to one of the boundaries of areas.ts. Writing and executing hold for the very
 * files, making and removing for the very directories; only execution spreads, to a directory many of whose programs ran.
 * @throws FileRulesError TOO_MANY_FILE_RULES
 */
export function generaliseFiles(
  recordings: readonly Recording[],
  basedOn: readonly FileRule[] = [],
): readonly FileRule[] {
  const needs = needsOf(recordings);
  const granted = ownRights(basedOn);
  const pathsOf = (right: Need['right'], from: readonly Need[]) =>
    from.filter((need) => need.right === right).map(({ path }) => path);
  const treeToRead = readTrees(
    [...pathsOf('read', needs), ...pathsOf('read', granted)],
    [...pathsOf('list', needs), ...pathsOf('list', granted)],
  );
  const placeToExecute = executeDirectories(pathsOf('execute', needs));
  const rules = canonicalFiles([
    ...basedOn,
    ...needs.map(({ path, right }): FileRule => ({ path, rights: [right] })),
    ...treeToRead.map((path): FileRule => ({ path, rights: ['read'] })),
    ...placeToExecute.map((path): FileRule => ({ path, rights: ['read', 'execute'] })),
  ]);
  if (rules.length > FILE_RULES_MAXIMUM) {
    throw new FileRulesError(
      'TOO_MANY_FILE_RULES',
      `What was seen folds into ${rules.length} file rules; a profile may have ${FILE_RULES_MAXIMUM}. ` +
        'Put the files that the program reads into fewer directories, or write the rules by hand.',
    );
  }
  return rules;
}

/** Without those that a line repeats from the lines above it, which nobody needed at its path. */
function ownRights(rules: readonly FileRule[]): readonly Need[] {
  const all = byPath(rules);
  return rules.flatMap(({ path, rights }) => {
    const inherited = inheritedAt(all, path);
    return rights.filter((right) => !inherited.includes(right)).map((right) => ({ path, right }));
  });
}

/**
 * Directories that count as read as a whole. Each can only come to be one by more paths, and none stops being one. A list
 * alone makes no tree, for a program may list its working directory and need nothing there; with a file that was read
 * directly in the directory it does.
 */
function readTrees(paths: readonly string[], listed: readonly string[]): readonly string[] {
  const names = new Map<string, Set<string>>();
  const areas = new Map<string, { readonly least: number; readonly paths: Set<string> }>();
  for (const path of paths.filter((candidate) => !isVariable(candidate))) {
    for (const name of upwards(path)) {
      const directory = parentOf(name);
      if (directory !== undefined) memberOf(names, directory, () => new Set<string>()).add(name);
    }
  }
  for (const path of [...paths, ...listed].filter((candidate) => !isVariable(candidate))) {
    const area = areaOf(path);
    if (!area) continue;
    const least = area.kind === 'machine' ? 1 : LIBRARY_FILES;
    memberOf(areas, area.tree, () => ({ least, paths: new Set<string>() })).paths.add(path);
  }
  const readIn = new Set(paths.map(parentOf));
  return [
    ...listed
      .filter((path) => readIn.has(path) && !isBoundary(path) && !isVariable(path))
      .map((path) => [path] as const),
    ...[...names].filter(([directory, { size }]) => size >= READ_NAMES && !isBoundary(directory)),
    ...[...areas].filter(([, { least, paths: seen }]) => seen.size >= least),
  ].map(([directory]) => directory);
}

/** Where a shell ran, its script chose the programs, and the next one chooses others of the same directories. */
function executeDirectories(paths: readonly string[]): readonly string[] {
  const least = paths.some(isShell) ? 1 : EXECUTED_FILES;
  const programs = new Map<string, number>();
  for (const directory of [...new Set(paths)].map(parentOf)) {
    if (directory !== undefined) programs.set(directory, (programs.get(directory) ?? 0) + 1);
  }
  return [...programs]
    .filter(([directory, count]) => count >= least && !isBoundary(directory) && !isVariable(directory))
    .map(([directory]) => directory);
}

function memberOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
