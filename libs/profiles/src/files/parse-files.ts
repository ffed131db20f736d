/** The optional members of a profile about files and processes, from JSON: strict, so that one meaning has one text. */
import { quoted } from '../kernel/visible-text.js';
import { FILE_RIGHTS, type FileRight, type FileRule, LANDLOCK_STATUSES, PATH_VARIABLES } from '../model/files.js';
import { arrayOf, membersOf, ProfileError } from '../model/parse-json.js';
import { type Profile } from '../model/profile.js';
import { pathProblem } from './paths.js';
import { byPath, inheritedAt, isGiven } from './rights.js';

/** More than a person reads; see LANDLOCK_RULES_MAXIMUM for what a run may have. */
export const FILE_RULES_MAXIMUM = 512;
/** PID_MAX_LIMIT of a 64-bit kernel (linux/threads.h). */
export const PIDS_MAXIMUM = 4_194_304;

export const FILE_MEMBERS = ['files', 'landlockMinimum', 'pids'] as const;
type FileMembers = Pick<Profile, (typeof FILE_MEMBERS)[number]>;

/** Absent members stay absent. @throws ProfileError */
export function parseFileMembers(members: Readonly<Partial<Record<keyof FileMembers, unknown>>>): FileMembers {
  const { files, landlockMinimum, pids } = members;
  return {
    ...(files !== undefined && { files: parseFiles(files) }),
    ...(landlockMinimum !== undefined && { landlockMinimum: parseMinimum(landlockMinimum, files !== undefined) }),
    ...(pids !== undefined && { pids: parsePids(pids) }),
  };
}

function parseFiles(value: unknown): readonly FileRule[] {
  const list = arrayOf(value, '$.files');
  if (list.length > FILE_RULES_MAXIMUM) {
    throw new ProfileError('$.files', `must have at most ${FILE_RULES_MAXIMUM} rules, and has ${list.length}`);
  }
  const rules = list.map((rule, index) => parseRule(rule, `$.files[${index}]`));
  rules.forEach(({ path }, index) => {
    const previous = rules[index - 1];
    if (previous === undefined || previous.path < path) return;
    const problem = previous.path === path ? `${quoted(path)} has two rules` : 'rules must be sorted by path';
    throw new ProfileError(`$.files[${index}].path`, problem);
  });
  requireCanonical(rules);
  return rules;
}

/** Each line says all that holds at its path, and more than the line above it: see canonicalFiles. */
function requireCanonical(rules: readonly FileRule[]): void {
  const united = byPath(rules);
  rules.forEach(({ path, rights }, index) => {
    const inherited = inheritedAt(united, path);
    const missing = inherited.find((right) => !isGiven(rights, right));
    const at = `$.files[${index}].rights`;
    if (missing !== undefined)
      throw new ProfileError(at, `must hold "${missing}", which a rule above ${quoted(path)} gives`);
    if (rights.every((right) => isGiven(inherited, right)))
      throw new ProfileError(at, 'adds nothing to the rules above it');
  });
}

function parseRule(value: unknown, at: string): FileRule {
  const { path, rights } = membersOf(value, at, ['path', 'rights']);
  return { path: parsePath(path, `${at}.path`), rights: parseRights(rights, `${at}.rights`) };
}

function parsePath(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new ProfileError(at, 'must be a path');
  if (PATH_VARIABLES.some((variable) => variable === value)) return value;
  if (value.startsWith('{')) throw new ProfileError(at, `must be one of ${PATH_VARIABLES.join(', ')}, alone`);
  const problem = pathProblem(value);
  if (problem !== undefined) throw new ProfileError(at, problem);
  return value;
}

function parseRights(value: unknown, at: string): readonly FileRight[] {
  const list = arrayOf(value, at);
  if (list.length === 0) throw new ProfileError(at, 'must not be empty');
  if (list.includes('read') && list.includes('list')) throw new ProfileError(at, 'must not have "list" beside "read"');
  let next = 0;
  return list.map((right, index) => {
    const position = FILE_RIGHTS.findIndex((known) => known === right);
    const found = FILE_RIGHTS[position];
    if (found === undefined) throw new ProfileError(`${at}[${index}]`, `must be one of ${FILE_RIGHTS.join(', ')}`);
    if (position < next) throw new ProfileError(`${at}[${index}]`, `must be in the order ${FILE_RIGHTS.join(', ')}`);
    next = position + 1;
    return found;
  });
}

function parseMinimum(value: unknown, hasFiles: boolean) {
  const at = '$.landlockMinimum';
  const status = LANDLOCK_STATUSES.find((known) => known === value);
  // It says the same as its absence, and one meaning has one text.
  if (status === undefined || status === 'NOT_ENFORCED') {
    throw new ProfileError(at, 'must be "PARTIALLY_ENFORCED" or "FULLY_ENFORCED", or be left out');
  }
  if (!hasFiles) throw new ProfileError(at, 'must not be without files, which it is about');
  return status;
}

function parsePids(value: unknown): number {
  if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > PIDS_MAXIMUM || Object.is(value, -0)) {
    throw new ProfileError('$.pids', `must be a whole number from 1 to ${PIDS_MAXIMUM}`);
  }
  return Number(value);
}
