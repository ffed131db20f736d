/** An input that is a directory: of a `file:` URL, the objects below an `s3:` URL, or what is in an archive (.tar, .tar.gz, .tgz) of any URL. */
import { mkdir, rm } from 'node:fs/promises';
import { childUrl, type InputReference, isArchive, isUrlAllowed, JobError, parseDataUrl, type S3Url } from '#lib/jobs';
import { asInputError, openS3Input } from '../s3/s3-input.js';
import { listObjects } from '../s3/list-objects.js';
import { S3Client } from '../s3/s3-client.js';
import { copyFileTree } from '../file/file-tree.js';
import { type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';
import { unpack } from './archive.js';
import { DirectoryWriter } from './directory-writer.js';
import { type InputBudget } from './job-inputs.js';
import { allowedUrl, fileInput, openInput } from './open-input.js';
import { treeDigest } from './tree-digest.js';

/**
 * Creates `target`, a host path in a directory that exists; what is there already is an error and stays. The files have the budget of
 * one input together. Throws JobError (input-*, inputs-too-large), or the signal's reason when it is aborted; `target` is gone then.
 * Example: `s3://lab/run-1/` with the object `run-1/a/b.edf` gives `a/b.edf`.
 */
export async function stageDirectory(
  { url = '', path }: Pick<InputReference, 'url' | 'path'>,
  target: string,
  rules: StagingRules,
  signal: AbortSignal,
  budget: InputBudget,
): Promise<StoredFile> {
  const named = { url: url.replace(/\/$/, ''), path };
  const { url: place } = parseDataUrl(named.url);
  if (isArchive(named.url)) {
    const from = (writer: DirectoryWriter) => stageArchive(named, writer, rules, signal, budget);
    return written(named, target, { signal, budget, cache: rules.cache, from });
  }
  if (place?.scheme === 'file') {
    const allowed = allowedUrl(named, rules);
    return copyFileTree(fileInput(place, { text: allowed.text, path }, rules), target, rules, signal, budget);
  }
  if (place?.scheme === 's3') {
    const from = (writer: DirectoryWriter) => stageListed(place, named, writer, rules, signal, budget);
    return written(named, target, { signal, budget, cache: rules.cache, from });
  }
  const detail = 'a directory comes of a file: or s3: URL, or of an archive (.tar, .tar.gz, .tgz)';
  throw JobError.of('input-refused', { url, path, detail });
}

interface Writing extends Pick<StagingRules, 'cache'> {
  readonly signal: AbortSignal;
  readonly budget: InputBudget;
  readonly from: (writer: DirectoryWriter) => Promise<void>;
}

async function written(named: Named, target: string, { signal, budget, cache, from }: Writing): Promise<StoredFile> {
  await mkdir(target, { mode: 0o700 });
  try {
    const writer = new DirectoryWriter(target, named, budget, signal, cache);
    await from(writer);
    const files = await writer.finish();
    return {
      sha256: treeDigest(files.map(({ name, sha256 }) => [name, sha256])),
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  }
}

type Named = Readonly<Record<'url' | 'path', string>>;

async function stageArchive(
  named: Named,
  writer: DirectoryWriter,
  rules: StagingRules,
  signal: AbortSignal,
  budget: InputBudget,
): Promise<void> {
  // What comes of it is not the archive, and is kept under no URL.
  const source = await openInput(named, { ...rules, cache: undefined }, signal);
  try {
    if ((source.bytes ?? 0) > budget.limitBytes) throw budget.tooLarge();
    await unpack(source.chunks, writer, budget);
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
  budget: InputBudget,
): Promise<void> {
  const { inputPrefixes: prefixes, foreignPrefixes: foreign } = rules;
  if (!isUrlAllowed(url, { prefixes, foreign })) throw writer.notAllowed(prefixes);
  let host = '';
  const open = () => {
    const client = new S3Client(place, url, rules, signal);
    host = client.host;
    return client;
  };
  try {
    let announced = 0;
    for await (const { objects, keys } of listObjects(open, place.key)) {
      // A page counts too: there may be nothing on it, and another behind it.
      writer.listed(keys + 1);
      announced += objects.reduce((sum, { bytes }) => sum + bytes, 0);
      budget.expect(announced);
      for (const { name } of objects) await stageObject(name, { url, path }, writer, rules, signal);
    }
    if (writer.files.length === 0) throw JobError.of('input-not-found', { url, path });
  } catch (error) {
    throw asInputError(error, { text: url, path }, host);
  }
}

async function stageObject(
  name: string,
  { url, path }: Named,
  writer: DirectoryWriter,
  rules: StagingRules,
  signal: AbortSignal,
): Promise<void> {
  const { inputPrefixes: prefixes, foreignPrefixes: foreign } = rules;
  writer.requireName(name);
  const text = childUrl(url, name);
  const { url: object } = parseDataUrl(text);
  if (object?.scheme !== 's3' || !isUrlAllowed(text, { prefixes, foreign })) throw writer.notAllowed(prefixes);
  const source = await openS3Input({ url: object, text, path }, rules, signal);
  try {
    await writer.addFile(name, source);
  } finally {
    await source.close();
  }
}
