/** The files of the image that the payload used: what an image stripped to its use would have to keep. */
import { type Recording } from '../model/recording.js';
import { isMaking, successfulUses } from './needs.js';
import { isAtOrBelow, isVariable } from './paths.js';

/** Shown by the kernel or made for the container: no file there is the image's. */
const NOT_THE_IMAGE = ['/dev', '/proc', '/sys'];
const USES: ReadonlySet<string> = new Set(['read', 'write', 'truncate', 'execute', 'list']);

/**
 * Sorted; files that were opened or executed with success, and directories that were listed, without what the payload made
 * itself. Recordings hold the paths that the kernel came to. So an image needs more than these: the symbolic links that led
 * there, and the files that were asked about (stat) and never opened, are not known.
 */
export function keptFiles(recordings: readonly Recording[]): readonly string[] {
  const uses = recordings.flatMap(successfulUses);
  const made = new Set(uses.filter(isMaking).map(({ path }) => path));
  const kept = uses.filter(
    ({ path, access }) =>
      USES.has(access) &&
      !isVariable(path) &&
      !made.has(path) &&
      !NOT_THE_IMAGE.some((place) => isAtOrBelow(path, place)),
  );
  return [...new Set(kept.map(({ path }) => path))].sort();
}
