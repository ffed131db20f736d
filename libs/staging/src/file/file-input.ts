/** Inputs from `file:` URLs: regular files that really lie below the allowed directories. */
import { type FileHandle } from 'node:fs/promises';
import { JobError } from '#lib/jobs';
import { readChunks } from '../copy.js';
import { isWithin, openPinned, pin, realPathOf, realRoots } from './descriptor.js';
import { isMissing } from '../failure.js';
import { type InputSource } from '../inputs/input-source.js';

export interface FileInput {
  readonly url: string;
  /** The container's path, for messages. */
  readonly path: string;
  readonly hostPath: string;
  /** Host paths: it must really lie below one of the first, and below none of the others. */
  readonly roots: { readonly allowed: readonly string[]; readonly foreign: readonly string[] };
}

/**
 * The file is pinned first, and everything is decided on what was pinned: a link that is changed meanwhile changes
 * nothing. Throws input-not-found, input-outside-roots, input-not-regular, and errors of the file system.
 */
export async function openFileInput(input: FileInput, signal: AbortSignal): Promise<InputSource> {
  const pinned = await pinFileInput(input);
  try {
    const stats = await pinned.stat();
    if (!stats.isFile()) throw JobError.of('input-not-regular', { url: input.url, path: input.path });
    const file = await openPinned(pinned);
    return { chunks: readChunks(file, signal), bytes: stats.size, close: () => file.close() };
  } finally {
    await pinned.close();
  }
}

/** Whatever it is, it is where it may be. Throws input-not-found, input-outside-roots, and errors of the file system. */
export async function pinFileInput(input: FileInput): Promise<FileHandle> {
  const details = { url: input.url, path: input.path };
  const pinned = await pin(input.hostPath).catch(async (cause: unknown) => {
    // Where the directories themselves are gone, the fault is the node's.
    if (!isMissing(cause) || (await realRoots(input.roots.allowed)).length === 0) throw cause;
    throw JobError.of('input-not-found', details, { cause });
  });
  try {
    const { allowed, foreign } = input.roots;
    const [realPath, roots, others] = await Promise.all([realPathOf(pinned), realRoots(allowed), realRoots(foreign)]);
    const isIn = (root: string) => isWithin(realPath, root);
    if (!roots.some(isIn) || others.some(isIn)) throw JobError.of('input-outside-roots', details);
    return pinned;
  } catch (error) {
    await pinned.close();
    throw error;
  }
}
