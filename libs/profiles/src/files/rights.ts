/** Sets of file rules, and what they grant: Landlock's arithmetic, where a right on a directory holds for all below it. */
import { FILE_RIGHTS, type FileRight, type FileRule } from '../model/files.js';
import { type FileAccess, type FileUse } from '../model/recording.js';
import { parentOf, upwards } from './paths.js';

/**
 * What Landlock asks for each access (linux/landlock.h), and where: names are made and taken away in their directory, and
 * a file must be allowed to leave its directory to be linked into another (LANDLOCK_ACCESS_FS_REFER).
 * Execution reads too, because the kernel opens what it executes for both.
 */
const NEEDED: Readonly<Record<FileAccess, { readonly rights: readonly FileRight[]; readonly at: 'path' | 'parent' }>> =
  {
    read: { rights: ['read'], at: 'path' },
    list: { rights: ['list'], at: 'path' },
    execute: { rights: ['read', 'execute'], at: 'path' },
    write: { rights: ['write'], at: 'path' },
    truncate: { rights: ['write'], at: 'path' },
    create: { rights: ['create'], at: 'parent' },
    remove: { rights: ['create'], at: 'parent' },
    'rename-from': { rights: ['create'], at: 'parent' },
    'rename-to': { rights: ['create'], at: 'parent' },
    link: { rights: ['create'], at: 'parent' },
  };

/** The path whose rights decide, and the rights. */
export function neededFor({ path, access }: Pick<FileUse, 'path' | 'access'>): FileRule {
  const { rights, at } = NEEDED[access];
  return { path: at === 'parent' ? (parentOf(path) ?? path) : path, rights };
}

/** The rights that the rules give at a path, in the order of FILE_RIGHTS. */
export function rightsAt(rules: ReadonlyMap<string, readonly FileRight[]>, path: string): readonly FileRight[] {
  return ordered(upwards(path).flatMap((at) => rules.get(at) ?? []));
}

/** Whether a process under these rules, and no others, could do what was seen. */
export function grants(rules: readonly FileRule[], use: Pick<FileUse, 'path' | 'access'>): boolean {
  const { path, rights } = neededFor(use);
  const given = rightsAt(byPath(rules), path);
  return rights.every((right) => isGiven(given, right));
}

/** `read` gives `list`. */
export function isGiven(given: readonly FileRight[], right: FileRight): boolean {
  return given.includes(right) || (right === 'list' && given.includes('read'));
}

/** Rules of one path united. */
export function byPath(rules: readonly FileRule[]): ReadonlyMap<string, readonly FileRight[]> {
  const united = new Map<string, readonly FileRight[]>();
  for (const { path, rights } of rules) united.set(path, ordered([...(united.get(path) ?? []), ...rights]));
  return united;
}

/**
 * The one way to write these rules: sorted by path (UTF-16 code units), one for each path, and each with all the rights that
 * hold at its path, so that a line can be read alone. What gives no more than a rule above it is left out.
 */
export function canonicalFiles(rules: readonly FileRule[]): readonly FileRule[] {
  const united = byPath(rules);
  return [...united.keys()].sort().flatMap((path) => {
    const rights = rightsAt(united, path);
    const inherited = inheritedAt(united, path);
    return rights.every((right) => isGiven(inherited, right)) ? [] : [{ path, rights }];
  });
}

/** What rules above a path give there. */
export function inheritedAt(rules: ReadonlyMap<string, readonly FileRight[]>, path: string): readonly FileRight[] {
  const parent = parentOf(path);
  return parent === undefined ? [] : rightsAt(rules, parent);
}

/** Each once; `list` is not repeated beside `read`. */
export function ordered(rights: readonly FileRight[]): readonly FileRight[] {
  const isRead = rights.includes('read');
  return FILE_RIGHTS.filter((right) => rights.includes(right) && !(right === 'list' && isRead));
}
