/** Directories as inputs from `file:` URLs: copied with all that is below them. No link is followed. */
import { chmod, type FileHandle, mkdir, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileRoots, JobError, shownName } from '#lib/jobs';
import { readChunks, writeHashed } from '../copy.js';
import { newInputFile, READ_ONLY, READ_ONLY_DIRECTORY } from '../inputs/input-file.js';
import { type InputBudget, TOO_MANY_NAMES } from '../inputs/job-inputs.js';
import { treeDigest } from '../inputs/tree-digest.js';
import { patient } from '../inputs/write-input.js';
import { type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';
import { isWithin, openPinned, pinEntry, realPathOf, realRoots, through, typeOf } from './descriptor.js';
import { type FileInput, pinFileInput } from './file-input.js';

/** Directories in one another. */
const DEPTH_MAXIMUM = 64;

/**
 * Makes `target`, a directory. The digest is of the paths and digests of its files. Throws input-not-found, input-outside-roots,
 * input-too-large, inputs-too-large, input-directory, the signal's reason, and errors of the file system; `target` is gone then.
 */
export async function copyFileTree(
  input: FileInput,
  target: string,
  { foreignPrefixes, cache }: StagingRules,
  signal: AbortSignal,
  budget: InputBudget,
): Promise<StoredFile> {
  const pinned = await pinFileInput(input);
  try {
    const stats = await pinned.stat();
    if (!stats.isDirectory()) throw refuse(input, `it is a ${typeOf(stats)}`);
    const foreign = await realRoots(fileRoots(foreignPrefixes));
    return await new TreeCopy(input, foreign, budget, signal, cache).copy(pinned, target);
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  } finally {
    await pinned.close();
  }
}

class TreeCopy {
  readonly #files: (readonly [path: string, sha256: string])[] = [];

  constructor(
    private readonly input: FileInput,
    /** Real paths. */
    private readonly foreign: readonly string[],
    private readonly budget: InputBudget,
    private readonly signal: AbortSignal,
    private readonly cache: StagingRules['cache'],
  ) {}

  async copy(directory: FileHandle, target: string): Promise<StoredFile> {
    await this.#copyDirectory(directory, target, '', 0);
    return { sha256: treeDigest(this.#files), bytes: this.budget.bytes };
  }

  /** `path`: below the input; "" for itself. */
  async #copyDirectory(directory: FileHandle, target: string, path: string, depth: number): Promise<void> {
    if (depth > DEPTH_MAXIMUM) throw refuse(this.input, `more than ${DEPTH_MAXIMUM} directories are in one another`);
    await mkdir(target, 0o700);
    for await (const entry of await opendir(through(directory), { encoding: 'buffer' as BufferEncoding })) {
      this.signal.throwIfAborted();
      if (!this.budget.takeName()) throw refuse(this.input, TOO_MANY_NAMES);
      const name = this.#nameOf(entry.name as unknown as Buffer, path);
      const pinned = await pinEntry(directory, name);
      try {
        await this.#copyEntry(pinned, join(target, name), path === '' ? name : `${path}/${name}`, depth);
      } finally {
        await pinned.close();
      }
    }
    await chmod(target, READ_ONLY_DIRECTORY);
  }

  async #copyEntry(pinned: FileHandle, target: string, path: string, depth: number): Promise<void> {
    const realPath = await realPathOf(pinned);
    if (this.foreign.some((root) => isWithin(realPath, root))) {
      throw JobError.of('input-outside-roots', { url: this.input.url, path: this.input.path });
    }
    const stats = await pinned.stat();
    if (stats.isDirectory()) return this.#copyDirectory(pinned, target, path, depth + 1);
    if (!stats.isFile()) throw refuse(this.input, `${shownName(path)} in it is a ${typeOf(stats)}`);
    const source = await openPinned(pinned);
    try {
      this.#files.push([path, await this.#copyFile(source, target)]);
    } finally {
      await source.close();
    }
  }

  async #copyFile(source: FileHandle, target: string): Promise<string> {
    const file = await newInputFile(target);
    try {
      const take = (bytes: number) => this.budget.take(bytes);
      const { sha256 } = await writeHashed(
        readChunks(source, this.signal),
        patient(file, this.cache),
        take,
        this.signal,
      );
      await file.chmod(READ_ONLY);
      return sha256;
    } finally {
      await file.close();
    }
  }

  #nameOf(bytes: Buffer, path: string): string {
    const name = bytes.toString('utf8');
    if (Buffer.from(name, 'utf8').equals(bytes)) return name;
    throw refuse(this.input, `the name of ${shownName(`${path}/${name}`)} in it is not UTF-8`);
  }
}

function refuse({ url, path }: FileInput, detail: string): JobError {
  return JobError.of('input-directory', { url, path, detail });
}
