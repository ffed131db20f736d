/** A tar archive, compressed by gzip or not, as a directory: files and directories alone, links and devices are refused. */
import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { shownName } from '#lib/jobs';
import { Parser, type ReadEntry } from 'tar';
import { errorCode, HttpFailure } from '../failure.js';
import { type DirectoryWriter } from './directory-writer.js';
import { type InputBudget } from './job-inputs.js';

/** Of an archive, beside the bytes of its files: headers and what fills up their blocks. */
const HEADERS_BYTES = 256 * 1024 ** 2;
/** Of one long name or PAX header. */
const META_BYTES = 1024 ** 2;
/** So many headers at once are made entries of, which wait in memory. */
const PIECE_BYTES = 64 * 1024;
const FILES: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);

/** Throws what the writer throws, input-refused for other entries, and HttpFailure where it is no archive. */
export async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  writer: DirectoryWriter,
  budget: InputBudget,
): Promise<void> {
  const parser = new Parser({ strict: true, maxMetaEntrySize: META_BYTES, brotli: false, zstd: false });
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  failed.catch(() => undefined);
  let taken = Promise.resolve();
  let isOver = false;
  parser.on('eof', () => (isOver = true));
  parser.on('entry', (entry: ReadEntry) => {
    taken = taken.then(() => take(entry, writer));
    taken.catch(fail);
  });
  parser.on('ignoredEntry', ({ path, type }: ReadEntry) => fail(notTaken(writer, path, type)));
  parser.on('error', (cause: unknown) => fail(noArchive(cause)));
  const ended = once(parser, 'end');
  ended.catch(() => undefined);
  for await (const piece of pieces(uncompressed(chunks), budget)) {
    // What is behind the end is read, for checksums are of the whole, and kept nowhere.
    if (isOver) continue;
    const hasRoom = parser.write(piece);
    await Promise.race([failed, hasRoom ? undefined : once(parser, 'drain')]);
  }
  parser.end();
  await Promise.race([failed, ended]);
  await Promise.race([failed, taken]);
}

/** The parser's own way to unpack gzip does all of a chunk at once, however much that becomes. */
async function* uncompressed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  const rest = { [Symbol.asyncIterator]: () => iterator };
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  if (!isGzip(head)) {
    yield head;
    yield* rest;
    return;
  }
  async function* whole() {
    yield head;
    yield* rest;
  }
  const gunzip = createGunzip();
  pipeline(Readable.from(whole(), { objectMode: false }), gunzip, () => undefined);
  let isFirst = true;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      // It would be unpacked once more.
      if (isFirst && isGzip(chunk)) throw noArchive();
      isFirst = false;
      yield chunk;
    }
  } catch (error) {
    throw errorCode(error)?.startsWith('Z_') ? noArchive(error) : error;
  }
}

/** All of it is bounded by what its files may have, and their headers. */
async function* pieces(chunks: AsyncIterable<Uint8Array>, budget: InputBudget): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > budget.limitBytes + HEADERS_BYTES) throw budget.tooLarge();
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      yield Buffer.from(chunk.buffer, chunk.byteOffset + at, Math.min(PIECE_BYTES, chunk.length - at));
    }
  }
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

async function take(entry: ReadEntry, writer: DirectoryWriter): Promise<void> {
  const { path, type } = entry;
  if (FILES.has(type)) return writer.addFile(path, { chunks: entry as AsyncIterable<Uint8Array> });
  if (type !== 'Directory') throw notTaken(writer, path, type);
  const name = path.replace(/\/+$/, '');
  if (name !== '.' && name !== '') await writer.addDirectory(name);
  entry.resume();
}

function notTaken(writer: DirectoryWriter, path: string, type: string): Error {
  return writer.refusal(`its entry "${shownName(path)}" is a ${type}, and only files and directories are taken`);
}

function noArchive(cause?: unknown): HttpFailure {
  return new HttpFailure('it is no tar archive', { cause });
}
