/** The list of files that an image stripped to its use would keep, as text for programs and people. */
import { keptFiles, type Recording } from '#lib/profiles';

/** One path a line, sorted; null where no recording has files. A backslash or control character is written \\xNN. */
export function keptFilesText(recordings: readonly Recording[]): string | null {
  const withFiles = recordings.filter(({ files }) => files !== undefined);
  if (withFiles.length === 0) return null;
  return keptFiles(withFiles)
    .map((path) => `${path.replace(/[\\\p{Cc}]/gu, escaped)}\n`)
    .join('');
}

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
