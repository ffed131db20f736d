/** An output as the payload left it: found without following a link, and pinned before anything is decided on it. */
import { type Stats } from 'node:fs';
import { type FileHandle, readlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { JobError } from '#lib/jobs';
import { openPinned, pin, pinEntry, through, typeOf } from '../file/descriptor.js';
import { isMissing } from '../failure.js';
import { type OutputLimit, tooLarge } from './output-limit.js';

export interface OutputSource {
  /** Host directory that was mounted writable. */
  readonly directory: string;
  /** Of the file, relative to the directory. */
  readonly name: string;
}

export interface OpenedOutput {
  readonly file: FileHandle;
  /** The container's, for messages. */
  readonly path: string;
  /** Permission bits that the payload gave it. */
  readonly mode: number;
  /** When it was opened. */
  readonly bytes: number;
}

/**
 * `path` is the container's path, for messages. Throws output-outside, output-missing, output-is-link,
 * output-not-regular, output-too-large, and errors of the file system. Hard links are fine: a link cannot leave the
 * mount, and the payload may read and write all of it.
 */
export async function openOutput(source: OutputSource, path: string, limit: OutputLimit): Promise<OpenedOutput> {
  const parts = source.name.split('/');
  if (source.name.includes('\0') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw JobError.of('output-outside', { path });
  }
  let place = await pin(source.directory);
  try {
    for (const [index, part] of parts.entries()) {
      const isLast = index === parts.length - 1;
      const entry = await pinEntry(place, part).catch((cause: unknown) => {
        throw isMissing(cause) ? JobError.of('output-missing', { path }, { cause }) : cause;
      });
      const stats = await entry.stat().catch(async (cause: unknown) => {
        await entry.close();
        throw cause;
      });
      const refused = stats.isSymbolicLink()
        ? await linkError(place, parts, index, path)
        : entryError(stats, isLast, path, limit);
      await place.close();
      place = entry;
      if (refused !== null) throw refused;
      if (isLast) return { file: await openPinned(entry), path, mode: stats.mode & 0o777, bytes: stats.size };
    }
    throw JobError.of('output-missing', { path });
  } finally {
    await place.close();
  }
}

function entryError(stats: Stats, isLast: boolean, path: string, limit: OutputLimit): JobError | null {
  if (!isLast) return stats.isDirectory() ? null : JobError.of('output-missing', { path });
  if (!stats.isFile()) return JobError.of('output-not-regular', { path, type: typeOf(stats) });
  return stats.size > limit.bytes ? tooLarge(path, limit) : null;
}

/** Both are refusals; the link's text only chooses the words, so it does not matter that it may change meanwhile. */
async function linkError(place: FileHandle, parts: readonly string[], index: number, path: string): Promise<JobError> {
  const rest = parts.length - 1 - index;
  if (rest > 0) {
    const text = await readlink(through(place, parts[index])).catch(() => '');
    const end = posix.join(...parts.slice(0, index), text);
    if (text.startsWith('/') || end === '..' || end.startsWith('../')) return JobError.of('output-outside', { path });
  }
  const link = path.split('/').slice(0, path.split('/').length - rest);
  return JobError.of('output-is-link', { path: link.join('/') });
}
