/** An input that is a directory: the objects below an `s3:` URL, or what is in an archive (.tar, .tar.gz, .tgz) of any URL. */
import { mkdir, rm } from 'node:fs/promises';
import { type InputReference, isUrlAllowed, JobError, parseDataUrl, type S3Url } from '#lib/jobs';
import { asInputError, openS3Input } from '../s3/s3-input.js';
import { listObjects } from '../s3/list-objects.js';
import { S3Client } from '../s3/s3-client.js';
import { failureDetail } from '../failure.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules } from '../rules.js';
import { isArchive, unpack } from './archive.js';
import { DirectoryWriter, type StagedEntry } from './directory-writer.js';
import { openInput } from './stage-input.js';

/**
 * Creates `target`, a host path in a directory that exists; what is there already is an error and stays. The files have the limit of
 * one input together. Throws JobError (input-*), or the signal's reason when it is aborted; `target` is gone then.
 * Example: `s3://lab/run-1/` with the object `run-1/a/b.edf` gives `a/b.edf`.
 */
export async function stageDirectory(
  { url = '', path }: Pick<InputReference, 'url' | 'path'>,
  target: string,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<readonly StagedEntry[]> {
  const details = { url, path };
  await mkdir(target, { mode: 0o700 });
  try {
    signal.throwIfAborted();
    const writer = new DirectoryWriter(target, details, rules.inputLimitBytes, signal);
    const named = url.replace(/\/$/, '');
    const { url: place } = parseDataUrl(named);
    if (isArchive(place?.parts.at(-1) ?? '')) await stageArchive({ url: named, path }, writer, rules, signal);
    else if (place?.scheme === 's3') await stageListed(place, { url: named, path }, writer, rules, signal);
    else throw writer.refusal('a directory comes of an s3: URL, or of an archive (.tar, .tar.gz, .tgz)');
    return await writer.finish();
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    const detail = failureDetail(error, rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('input-fetch-failed', { ...details, detail }, { cause: error });
  }
}

type Named = Readonly<Record<'url' | 'path', string>>;

async function stageArchive(named: Named, writer: DirectoryWriter, rules: StagingRules, signal: AbortSignal) {
  const source = await openInput(named, rules, signal);
  try {
    if ((source.bytes ?? 0) > rules.inputLimitBytes) throw writer.tooLarge();
    await unpack(source.chunks, writer);
  } finally {
    await source.close();
  }
}

/** Each object is opened as an input of its own: below the same prefixes, by the same credential. */
async function stageListed(
  place: S3Url,
  { url, path }: Named,
  writer: DirectoryWriter,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<void> {
  const { inputPrefixes: prefixes, foreignPrefixes: foreign } = rules;
  if (!isUrlAllowed(url, { prefixes, foreign })) throw writer.notAllowed(prefixes);
  const client = new S3Client(place, url, rules, signal);
  try {
    let announced = 0;
    for await (const { name, bytes } of listObjects(client, place.key)) {
      announced += bytes;
      if (announced > rules.inputLimitBytes) throw writer.tooLarge();
      writer.requireName(name);
      const text = `${url}/${name.split('/').map(encodeURIComponent).join('/')}`;
      const { url: object } = parseDataUrl(text);
      if (object?.scheme !== 's3' || !isUrlAllowed(text, { prefixes, foreign })) throw writer.notAllowed(prefixes);
      const source = await openS3Input({ url: object, text, path }, rules, signal);
      try {
        await writer.addFile(name, source.chunks);
      } finally {
        await source.close();
      }
    }
    if (writer.files.length === 0) throw JobError.of('input-not-found', { url, path });
  } catch (error) {
    throw asInputError(error, { text: url, path }, client.host);
  } finally {
    await client.close();
  }
}
