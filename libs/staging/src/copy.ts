/** Bytes on their way: read, hashed, written. */
import { createHash } from 'node:crypto';
import { type FileHandle } from 'node:fs/promises';
import { type StoredFile } from './stored-file.js';

const CHUNK_BYTES = 256 * 1024;

/** SHA-256 and length of all that was added. */
export class RunningDigest {
  private readonly hash = createHash('sha256');
  bytes = 0;

  add(chunk: Uint8Array): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
  }

  /** Once. */
  finish(): StoredFile {
    return { sha256: this.hash.digest('hex'), bytes: this.bytes };
  }
}

/** From the start to the end of the file. Each chunk is the reader's to keep. */
export function readChunks(file: FileHandle, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  return readRange(file, { position: 0, bytes: Infinity }, signal);
}

export interface FileRange {
  readonly position: number;
  readonly bytes: number;
}

/** Ends early where the file does. */
export async function* readRange(
  file: FileHandle,
  { position: start, bytes }: FileRange,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  for (let position = start; position < start + bytes;) {
    signal.throwIfAborted();
    const wanted = Math.min(CHUNK_BYTES, start + bytes - position);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A file, or what stands for it. */
export interface ByteTarget {
  /** May take fewer than it is given. */
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
}

/** The digest is of exactly what was written. `take` is told of the bytes of a chunk first: where it throws, nothing of it is written. */
export async function writeHashed(
  chunks: AsyncIterable<Uint8Array>,
  target: ByteTarget,
  take: (bytes: number) => void,
  signal: AbortSignal,
): Promise<StoredFile> {
  const digest = new RunningDigest();
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    take(chunk.length);
    digest.add(chunk);
    for (let written = 0; written < chunk.length;) {
      written += (await target.write(chunk, written, chunk.length - written)).bytesWritten;
    }
  }
  return digest.finish();
}
