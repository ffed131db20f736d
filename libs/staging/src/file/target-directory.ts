/** The directory of a `file:` target: pinned, really below the allowed ones, and made where it is missing. */
import { type FileHandle, lstat, mkdir, rename, rmdir } from 'node:fs/promises';
import { fileRoots, type OutputReference } from '#lib/jobs';
import { isRemoved, isWithin, pin, pinEntry, realPathOf, realRoots, through } from './descriptor.js';
import { errorCode, isMissing } from '../failure.js';
import { notAllowed, type OutputPermissions, type OutputPlace, refused } from '../outputs/output-target.js';
import { type StagingRules } from '../rules.js';
import { giveTo, SET_GROUP_ID } from './permissions.js';
import { stagedPath, syncDirectory } from '../outputs/staged-file.js';

/** What is done about directories of the path. `hidden`: the name of those that are being made. */
export interface DirectoryUse {
  readonly missing: 'make' | 'leave';
  readonly hidden: string | null;
}

/** Workers that make one directory at the same time may replace each other's while it is empty: it is looked for again. */
export const MAXIMUM_TRIES = 10;

interface Roots {
  readonly allowed: readonly string[];
  readonly foreign: readonly string[];
}

/**
 * Each directory is pinned and its real path checked before the next one is made in it: nothing is made outside.
 * Undefined where a part is missing and is not to be made; hidden directories that a crash left are removed then.
 */
export async function openTargetDirectory(
  output: OutputReference,
  hostPath: string,
  { rules, permissions }: Pick<OutputPlace, 'rules' | 'permissions'>,
  { missing, hidden }: DirectoryUse,
): Promise<FileHandle | undefined> {
  const root = fileRoots(rules.outputPrefixes).find((path) => isWithin(hostPath, path) && hostPath !== path);
  if (root === undefined) throw notAllowed(output, rules);
  const roots = await rootsOf(rules);
  const parts = hostPath.slice(root.length).split('/').slice(0, -1);
  for (let tries = 1; ; tries++) {
    let place = await pin(root);
    try {
      await requireDirectoryWithin(place, roots, output, rules);
      for (const part of parts.filter((text) => text !== '')) {
        if (missing === 'make' && hidden !== null) await makeDirectory(place, part, { hidden, permissions, output });
        else if (hidden !== null) await removeDirectory(place, hidden);
        const next = await pin(through(place, part)).catch((cause: unknown) => {
          if (!isMissing(cause)) throw cause;
          if (missing === 'make') throw refused(output, 'a part of its path cannot be a directory', cause);
          return undefined;
        });
        if (next === undefined) {
          await place.close();
          return undefined;
        }
        await place.close();
        place = next;
        await requireDirectoryWithin(place, roots, output, rules);
      }
      return place;
    } catch (error) {
      const isReplaced = await isRemoved(place);
      await place.close();
      if (!isReplaced || tries === MAXIMUM_TRIES) throw error;
    }
  }
}

async function rootsOf({ outputPrefixes, foreignPrefixes }: StagingRules): Promise<Roots> {
  const [allowed, foreign] = await Promise.all([outputPrefixes, foreignPrefixes].map((p) => realRoots(fileRoots(p))));
  return { allowed: allowed ?? [], foreign: foreign ?? [] };
}

interface NewDirectory {
  readonly hidden: string;
  readonly permissions: OutputPermissions;
  readonly output: OutputReference;
}

/** Without effect where there is something. It has its name only once it has its owner and mode. */
async function makeDirectory(place: FileHandle, part: string, made: NewDirectory): Promise<void> {
  if (await isThere(through(place, part))) return;
  const hidden = stagedPath(place, made.hidden);
  try {
    await mkdir(hidden, 0o700);
    await settleDirectory(place, made);
    await rename(hidden, through(place, part));
  } catch (cause) {
    await removeDirectory(place, made.hidden).catch(() => undefined);
    // Another worker was first.
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(errorCode(cause) ?? '')) return;
    throw isMissing(cause) ? refused(made.output, 'a part of its path cannot be a directory', cause) : cause;
  }
  await syncDirectory(place);
}

/** As files are, and to be entered by whoever may read. It hands its group down where the directory above does. */
async function settleDirectory(place: FileHandle, { hidden, permissions }: NewDirectory): Promise<void> {
  const made = await pinEntry(place, hidden);
  try {
    const mode = permissions.mode | ((permissions.mode & 0o444) >> 2) | 0o700;
    await giveTo(through(made), { ...permissions, mode }, (await made.stat()).mode & SET_GROUP_ID);
  } finally {
    await made.close();
  }
}

/** Without effect where there is none, nothing can be written, or somebody has put something into it. */
async function removeDirectory(place: FileHandle, name: string): Promise<void> {
  await rmdir(stagedPath(place, name)).catch((error: unknown) => {
    if (!isMissing(error) && !['EROFS', 'ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function requireDirectoryWithin(
  place: FileHandle,
  { allowed, foreign }: Roots,
  output: OutputReference,
  rules: StagingRules,
): Promise<void> {
  const realPath = await realPathOf(place);
  const isIn = (root: string) => isWithin(realPath, root);
  if (!allowed.some(isIn) || foreign.some(isIn)) throw notAllowed(output, rules);
  if (!(await place.stat()).isDirectory()) throw refused(output, 'a part of its path is no directory');
}
