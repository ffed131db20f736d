/** Makes one file of an input, for payloads to read: the cache's own, where it has the bytes and no other job has the file. */
import { type FileHandle, rm } from 'node:fs/promises';
import { type ByteTarget, writeHashed } from '../copy.js';
import { errorCode } from '../failure.js';
import { type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';
import { newInputFile, READ_ONLY } from './input-file.js';
import { type InputSource } from './input-source.js';
import { type InputBudget } from './job-inputs.js';

export interface WriteOptions extends Pick<StagingRules, 'cache'> {
  readonly budget: InputBudget;
  readonly signal: AbortSignal;
}

/**
 * Creates `target`; a file that is there already is an error and stays, and of any other error nothing is left. Throws DamagedFile,
 * what the chunks and the budget throw, and errors of the file system.
 */
export async function writeInput(
  source: Pick<InputSource, 'chunks' | 'version' | 'cached'>,
  target: string,
  { cache, budget, signal }: WriteOptions,
): Promise<StoredFile> {
  const { version, cached } = source;
  const isThere = (await cached?.lendTo(target)) ?? false;
  const file = isThere ? undefined : await newInputFile(target);
  try {
    const take = (bytes: number) => budget.take(bytes);
    const stored = await writeHashed(source.chunks, file ? patient(file, cache) : NOWHERE, take, signal);
    if (cached && stored.sha256 !== cached.sha256) throw cached.damaged();
    await file?.chmod(READ_ONLY);
    cached?.taken();
    if (version && !cached) await cache?.keep(target, stored, version);
    return stored;
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  } finally {
    await file?.close();
  }
}

/** Of bytes that are only looked at. */
const NOWHERE: ByteTarget = { write: (_bytes, _offset, length) => Promise.resolve({ bytesWritten: length }) };

/** Where the file system is full, the cache gives way. */
export function patient(file: FileHandle, cache: StagingRules['cache']): ByteTarget {
  return {
    async write(bytes, offset, length) {
      for (;;) {
        try {
          return await file.write(bytes, offset, length);
        } catch (error) {
          if (errorCode(error) !== 'ENOSPC' || !(await cache?.makeRoom())) throw error;
        }
      }
    },
  };
}
