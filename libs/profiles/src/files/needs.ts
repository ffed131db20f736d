/** From recordings to what a profile must grant: which right at which path. */
import { type FileRight } from '../model/files.js';
import { type FileUse, type Recording } from '../model/recording.js';
import { ALWAYS_GRANTED } from './always-granted.js';
import { FileRulesError } from './file-rules-error.js';
import { isVariable, parentOf, pathProblem, upwards, variableOf } from './paths.js';
import { byPath, isGiven, neededFor, rightsAt } from './rights.js';

export interface Need {
  readonly path: string;
  readonly right: FileRight;
}

const ALWAYS = byPath(ALWAYS_GRANTED);
const PROCESS_DIRECTORY = /^\/proc\/(\d+)(?=\/|$)/;
const OWN_THREAD = /^\/proc\/self\/task\/\d+(?:\/.*)?$/s;
/** porin-init's, in every container. */
const SUPERVISOR = '1';
const CLONE_THREAD = 0x10000n;
/** Of distinct paths: tens of thousands of files. More only costs time, and whoever makes an image could ask for it. */
const SEEN_MAXIMUM_CHARACTERS = 4 * 1024 * 1024;

/** As a profile can name them: `/proc/<pid>` is `/proc/self` where the payload was one process all along. */
export function namedUses(recording: Recording): readonly FileUse[] {
  const uses = recording.files ?? [];
  return isOneProcess(recording) ? uses.map((use) => ({ ...use, path: asOwn(use.path) })) : uses;
}

/**
 * The uses that succeeded. Failed ones teach nothing: under Landlock a name that is not there is still ENOENT, and what
 * existed and was refused stays so. What has no place in the tree (a memfd that was executed) is not Landlock's either.
 */
export function successfulUses(recording: Recording): readonly FileUse[] {
  return namedUses(recording).filter(
    ({ path, result }) => result === 'ok' && (isVariable(path) || path.startsWith('/')),
  );
}

/**
 * Whether a rule can grant it. Pids differ from run to run, and Landlock knows files, not whose they are: reading another
 * process' directory can be granted for all of /proc, writing there cannot, because it would reach all of them.
 */
export function isExpressible({ path, access }: FileUse): boolean {
  if (isVariable(path)) return true;
  if (pathProblem(path) !== undefined) return false;
  return isOfSomeProcess(path) ? access === 'read' || access === 'list' : true;
}

/**
 * What the profile must grant beyond ALWAYS_GRANTED. A rule can only be on what is there before the payload starts, so a
 * file that one of the runs made is needed at the directory that it was made in.
 * @throws FileRulesError TOO_MANY_FILE_RULES
 */
export function needsOf(recordings: readonly Recording[]): readonly Need[] {
  const uses = distinct(recordings.flatMap(successfulUses)).filter(isExpressible);
  const characters = uses.reduce((sum, { path }) => sum + path.length, 0);
  if (characters > SEEN_MAXIMUM_CHARACTERS) {
    throw new FileRulesError(
      'TOO_MANY_FILE_RULES',
      `The paths that were seen have ${characters} characters together; rules are learned from at most ${SEEN_MAXIMUM_CHARACTERS}.`,
    );
  }
  const made = new Set(uses.filter(isMaking).map(({ path }) => path));
  const needs = new Map<string, Need>();
  for (const use of uses) {
    const needed = neededFor(use);
    // Both: the more was seen, the more is granted, also where a later run makes what an earlier one found.
    for (const path of new Set([nameable(needed.path), nameable(placeOf(needed.path, made))])) {
      const given = rightsAt(ALWAYS, path);
      for (const right of needed.rights.filter((candidate) => !isGiven(given, candidate))) {
        needs.set(`${right} ${path}`, { path, right });
      }
    }
  }
  return [...needs.values()];
}

/** Variables stand alone in rules, and so do below them all uses of one access. */
function distinct(uses: readonly FileUse[]): readonly FileUse[] {
  const known = new Map<string, FileUse>();
  for (const use of uses) {
    const variable = variableOf(use.path);
    const path = variable === undefined ? use.path : `${variable}/*`;
    known.set(`${use.access} ${path}`, { ...use, path });
  }
  return [...known.values()];
}

export function isMaking({ access }: FileUse): boolean {
  return access === 'create' || access === 'rename-to';
}

function placeOf(path: string, made: ReadonlySet<string>): string {
  const outermost = upwards(path).findLast((at) => made.has(at));
  return outermost === undefined ? path : (parentOf(outermost) ?? outermost);
}

/** What a rule can have for its path: variables stand alone, and of processes and threads only all can be named. */
export function nameable(path: string): string {
  return variableOf(path) ?? (isOfSomeProcess(path) ? '/proc' : path.replace(OWN_THREAD, '/proc/self/task'));
}

function isOfSomeProcess(path: string): boolean {
  const pid = PROCESS_DIRECTORY.exec(path)?.[1];
  return pid !== undefined && pid !== SUPERVISOR;
}

function asOwn(path: string): string {
  return isOfSomeProcess(path) ? path.replace(PROCESS_DIRECTORY, '/proc/self') : path;
}

/** No call of it made a process; threads share their process' directory. */
export function isOneProcess({ calls, arguments: uses }: Recording): boolean {
  if (['fork', 'vfork', 'clone3'].some((name) => (calls[name] ?? 0) > 0)) return false;
  if ((calls.clone ?? 0) === 0) return true;
  const clones = (uses ?? []).filter(({ call }) => call === 'clone');
  return (
    clones.length > 0 &&
    clones.every(({ values }) => values['0'] !== undefined && (BigInt(values['0']) & CLONE_THREAD) !== 0n)
  );
}
