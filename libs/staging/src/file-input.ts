/** Inputs from `file:` URLs: regular files that really lie below the allowed directories. */
import { JobError } from '#lib/jobs';
import { readChunks } from './copy.js';
import { isWithin, openPinned, pin, realPathOf, realRoots } from './descriptor.js';
import { isMissing } from './failure.js';
import { type InputSource } from './input-source.js';

export interface FileInput {
  readonly url: string;
  /** The container's path, for messages. */
  readonly path: string;
  readonly hostPath: string;
  /** Host paths, at least one of which `hostPath` lies below. */
  readonly roots: readonly string[];
}

/**
 * The file is pinned first, and everything is decided on what was pinned: a link that is changed meanwhile changes
 * nothing. Throws input-not-found, input-outside-roots, input-not-regular, and errors of the file system.
 */
export async function openFileInput(input: FileInput, signal: AbortSignal): Promise<InputSource> {
  const details = { url: input.url, path: input.path };
  const pinned = await pin(input.hostPath).catch(async (cause: unknown) => {
    // Where the directories themselves are gone, the fault is the node's.
    if (!isMissing(cause) || (await realRoots(input.roots)).length === 0) throw cause;
    throw JobError.of('input-not-found', details, { cause });
  });
  try {
    const [realPath, roots] = await Promise.all([realPathOf(pinned), realRoots(input.roots)]);
    if (!roots.some((root) => isWithin(realPath, root))) throw JobError.of('input-outside-roots', details);
    const stats = await pinned.stat();
    if (!stats.isFile()) throw JobError.of('input-not-regular', details);
    const file = await openPinned(pinned);
    return { chunks: readChunks(file, signal), bytes: stats.size, close: () => file.close() };
  } finally {
    await pinned.close();
  }
}
