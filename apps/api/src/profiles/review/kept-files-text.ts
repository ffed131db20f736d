/** The list of files that an image stripped to its use would keep, as text for programs and people. */
import { keptFiles, type Recording, visible } from '#lib/profiles';

/** One path a line, sorted; null if no recording has files. Invisible characters are written out: see visible. */
export function keptFilesText(recordings: readonly Recording[]): string | null {
  const withFiles = recordings.filter(({ files }) => files !== undefined);
  if (withFiles.length === 0) return null;
  return keptFiles(withFiles)
    .map((path) => `${visible(path)}\n`)
    .join('');
}
