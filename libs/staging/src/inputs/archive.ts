/** A tar archive, compressed by gzip or not, as a directory: files and directories alone, links and devices are refused. */
import { once } from 'node:events';
import { Parser, type ReadEntry } from 'tar';
import { HttpFailure } from '../failure.js';
import { type DirectoryWriter } from './directory-writer.js';

/** Of one long name or PAX header. */
const HEADER_BYTES = 1024 ** 2;
const FILES: ReadonlySet<string> = new Set(['File', 'OldFile', 'ContiguousFile']);

/** Throws what the writer throws, input-refused for other entries, and HttpFailure where it is no archive. */
export async function unpack(chunks: AsyncIterable<Uint8Array>, writer: DirectoryWriter): Promise<void> {
  const parser = new Parser({ strict: true, maxMetaEntrySize: HEADER_BYTES });
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => (fail = reject));
  failed.catch(() => undefined);
  let taken = Promise.resolve();
  parser.on('entry', (entry: ReadEntry) => {
    taken = taken.then(() => take(entry, writer));
    taken.catch(fail);
  });
  parser.on('ignoredEntry', ({ path, type }: ReadEntry) => fail(notTaken(writer, path, type)));
  parser.on('error', (cause: unknown) => fail(new HttpFailure('it is no tar archive', { cause })));
  const ended = once(parser, 'end');
  ended.catch(() => undefined);
  for await (const chunk of chunks) {
    const hasRoom = parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    if (!hasRoom) await Promise.race([failed, once(parser, 'drain')]);
  }
  parser.end();
  await Promise.race([failed, ended]);
  await Promise.race([failed, taken]);
}

async function take(entry: ReadEntry, writer: DirectoryWriter): Promise<void> {
  const { path, type } = entry;
  if (FILES.has(type)) return writer.addFile(path, entry as AsyncIterable<Uint8Array>);
  if (type !== 'Directory') throw notTaken(writer, path, type);
  const name = path.replace(/\/+$/, '');
  if (name !== '.' && name !== '') await writer.addDirectory(name);
  entry.resume();
}

function notTaken(writer: DirectoryWriter, path: string, type: string): Error {
  return writer.refusal(
    `its entry ${JSON.stringify(path.slice(0, 255))} is a ${type}, and only files and directories are taken`,
  );
}
