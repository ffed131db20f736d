/** The directory of a `file:` target: pinned, really below the allowed ones, and made where it is missing. */
import { type FileHandle, mkdir } from 'node:fs/promises';
import { fileRoots, type OutputReference } from '#lib/jobs';
import { isWithin, pin, pinEntry, realPathOf, realRoots, through } from './descriptor.js';
import { errorCode, isMissing } from '../failure.js';
import { notAllowed, type OutputPermissions, type OutputPlace, refused } from '../outputs/output-target.js';
import { type StagingRules } from '../rules.js';
import { giveTo } from './permissions.js';
import { syncDirectory } from '../outputs/staged-file.js';

interface Roots {
  readonly allowed: readonly string[];
  readonly foreign: readonly string[];
}

/**
 * Each directory is pinned and its real path checked before the next one is made in it: nothing is made outside.
 * Undefined where a part is missing and is not to be made.
 */
export async function openTargetDirectory(
  output: OutputReference,
  hostPath: string,
  { rules, permissions }: Pick<OutputPlace, 'rules' | 'permissions'>,
  make: boolean,
): Promise<FileHandle | undefined> {
  const root = fileRoots(rules.outputPrefixes).find((path) => isWithin(hostPath, path) && hostPath !== path);
  if (root === undefined) throw notAllowed(output, rules);
  const roots = await rootsOf(rules);
  const parts = hostPath.slice(root.length).split('/').slice(0, -1);
  let place = await pin(root);
  try {
    await requireDirectoryWithin(place, roots, output, rules);
    for (const part of parts.filter((text) => text !== '')) {
      if (make) await makeDirectory(place, part, permissions, output);
      const next = await pin(through(place, part)).catch((cause: unknown) => {
        if (!isMissing(cause)) throw cause;
        if (make) throw refused(output, 'a part of its path cannot be a directory', cause);
        return undefined;
      });
      await place.close();
      if (next === undefined) return undefined;
      place = next;
      await requireDirectoryWithin(place, roots, output, rules);
    }
    return place;
  } catch (error) {
    await place.close();
    throw error;
  }
}

async function rootsOf({ outputPrefixes, foreignPrefixes }: StagingRules): Promise<Roots> {
  const [allowed, foreign] = await Promise.all([outputPrefixes, foreignPrefixes].map((p) => realRoots(fileRoots(p))));
  return { allowed: allowed ?? [], foreign: foreign ?? [] };
}

/** As files are, and to be entered by whoever may read. */
async function makeDirectory(
  place: FileHandle,
  part: string,
  permissions: OutputPermissions,
  output: OutputReference,
): Promise<void> {
  try {
    await mkdir(through(place, part), 0o700);
  } catch (cause) {
    if (errorCode(cause) === 'EEXIST') return;
    throw isMissing(cause) ? refused(output, 'a part of its path cannot be a directory', cause) : cause;
  }
  const made = await pinEntry(place, part);
  try {
    await giveTo(through(made), { ...permissions, mode: permissions.mode | ((permissions.mode & 0o444) >> 2) | 0o700 });
  } finally {
    await made.close();
  }
  await syncDirectory(place);
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
