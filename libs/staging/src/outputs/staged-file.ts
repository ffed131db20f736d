/** Staged bytes in a directory of this node: named, written whole and to the disk, found again, removed. */
import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { readChunks, RunningDigest, writeHashed } from '../copy.js';
import { through } from '../file/descriptor.js';
import { isMissing } from '../failure.js';
import { type OpenedOutput } from './open-output.js';
import { type OutputLimit, tooLarge } from './output-limit.js';
import { type Staged, type StagedOutput } from './output-target.js';
import { type StoredFile } from '../stored-file.js';

/** All names of staged bytes, and no others. */
const STAGED_NAME = /^\.porin-[A-Za-z0-9-]{1,64}-[0-9]{1,6}\.part$/;

/** `token`: of one attempt, unguessable. `index`: of the output in the job. */
export function temporaryName(token: string, index: number): string {
  return `.porin-${token}-${index}.part`;
}

/** A manifest is the word of the node that stored it, and this one may remove and rename whatever there is. */
export class NoStagedName extends Error {
  override readonly name = 'NoStagedName';
}

/** Whoever makes, opens, renames or removes staged bytes reaches them by this. Throws NoStagedName. */
export function stagedPath(directory: FileHandle, temporary: string): string {
  if (!STAGED_NAME.test(temporary)) throw new NoStagedName('these are no staged bytes of ours');
  return through(directory, temporary);
}

/** Of the worker alone, until `finish` has given it to whom it belongs. Nothing is left when it throws. */
export async function writeStaged(
  output: OpenedOutput,
  directory: FileHandle,
  temporary: string,
  { limit, signal, finish }: StagedFileOptions,
): Promise<Staged> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const path = stagedPath(directory, temporary);
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    let left = limit.bytes;
    const take = (bytes: number) => {
      left -= bytes;
      if (left < 0) throw tooLarge(output.path, limit);
    };
    const stored = await writeHashed(readChunks(output.file, signal), file, take, signal);
    await finish(file);
    await file.sync();
    await syncDirectory(directory);
    signal.throwIfAborted();
    return { ...stored, stamp: await stampOf(file) };
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

interface StagedFileOptions {
  readonly limit: OutputLimit;
  readonly signal: AbortSignal;
  readonly finish: (file: FileHandle) => Promise<void>;
}

export async function openStaged(directory: FileHandle, temporary: string): Promise<FileHandle | undefined> {
  return openRegular(stagedPath(directory, temporary));
}

/** A regular file, never through a link; undefined when there is none at that path. */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: FileHandle;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}

/** Whether they are what the manifest says, which only the worker that has just staged them knows without reading them. */
export async function areStagedBytes(file: FileHandle, staged: StagedOutput, signal: AbortSignal): Promise<boolean> {
  return staged.stamp === (await stampOf(file)) || hasContent(file, staged, signal);
}

/** Changes with every change of the file, which nobody can hide: the kernel sets the time of the last change. */
async function stampOf(file: FileHandle): Promise<string> {
  const { dev, ino, size, ctimeNs } = await file.stat({ bigint: true });
  return [dev, ino, size, ctimeNs].join(' ');
}

export async function hasContent(
  file: FileHandle,
  { sha256, bytes }: StoredFile,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await file.stat()).size !== bytes) return false;
  const digest = new RunningDigest();
  for await (const chunk of readChunks(file, signal)) digest.add(chunk);
  return digest.finish().sha256 === sha256;
}

export async function removeStaged(directory: FileHandle, temporary: string): Promise<void> {
  await unlink(stagedPath(directory, temporary)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
}

/** A pinned directory cannot be synchronised itself. */
export async function syncDirectory(pinned: FileHandle): Promise<void> {
  const directory = await open(through(pinned), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
