/** The requests of one multipart upload (S3 API: CreateMultipartUpload, UploadPart, ListParts, Complete, Abort). */
import { createHash } from 'node:crypto';
import { type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { type FileRange, readRange, type RunningDigest } from '../copy.js';
import { HttpFailure } from '../failure.js';
import { Unavailable } from '../http/broken.js';
import { readAnswer, readToEnd } from './answer.js';
import { type S3Client, S3Refusal } from './s3-client.js';

const MIB = 1024 ** 2;
const LEAST_PART_BYTES = 8 * MIB;
const MAXIMUM_PARTS = 10_000;
export const MAXIMUM_UPLOAD_ID = 2048;

/** Names the staging that made an object: whoever completed its upload may not have heard the answer. */
const MARK_HEADER = 'x-amz-meta-porin-staging';

export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
}

export interface Upload {
  readonly key: string;
  readonly id: string;
}

/** So large that the parts suffice for an object of so many bytes. */
export function partBytes(objectBytes: number): number {
  return Math.max(LEAST_PART_BYTES, Math.ceil(objectBytes / MAXIMUM_PARTS / MIB) * MIB);
}

const created = z.object({ UploadId: z.string().min(1).max(MAXIMUM_UPLOAD_ID) });

/** An answer that is lost leaves an upload behind that nobody knows: the rest is for the bucket's lifecycle rule. */
export async function createUpload(client: S3Client, key: string, mark: string): Promise<Upload> {
  const headers = { [MARK_HEADER]: markOf(mark) };
  const answer = await client.send({ method: 'POST', key, query: { uploads: '' }, headers });
  return { key, id: (await readAnswer(answer, 'InitiateMultipartUploadResult', created)).UploadId };
}

export interface PartSource {
  readonly file: FileHandle;
  /** Of the whole object; it gets the bytes of the part. */
  readonly digest: RunningDigest;
  readonly signal: AbortSignal;
}

/** Read once for its checksums and once for each time that it is sent. Throws HttpFailure where the file has changed meanwhile. */
export async function sendPart(
  client: S3Client,
  upload: Upload,
  number: number,
  range: FileRange,
  { file, digest, signal }: PartSource,
): Promise<void> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  let bytes = 0;
  for await (const chunk of readRange(file, range, signal)) {
    sha256.update(chunk);
    md5.update(chunk);
    digest.add(chunk);
    bytes += chunk.length;
  }
  if (bytes !== range.bytes) throw new HttpFailure('the file changed while it was sent');
  const answer = await client.send({
    method: 'PUT',
    key: upload.key,
    query: { partNumber: String(number), uploadId: upload.id },
    headers: { 'content-md5': md5.digest('base64') },
    body: {
      open: () => Readable.from(counted(readRange(file, range, signal), client), { objectMode: false }),
      bytes,
      sha256: sha256.digest('hex'),
    },
  });
  await readToEnd(answer);
}

const parts = z.object({
  IsTruncated: z.string().optional(),
  NextPartNumberMarker: z.string().optional(),
  Part: z
    .array(
      z.object({
        PartNumber: z.coerce.number().int().min(1).max(MAXIMUM_PARTS),
        ETag: z.string().min(1).max(256),
        Size: z.coerce.number().int().min(0),
      }),
    )
    .default([]),
});

/** In their order; undefined where there is no such upload any more. */
export async function listParts(client: S3Client, { key, id }: Upload): Promise<readonly UploadedPart[] | undefined> {
  const listed: UploadedPart[] = [];
  for (let marker: string | undefined; ;) {
    const query = { uploadId: id, ...(marker !== undefined && { 'part-number-marker': marker }) };
    const answer = await client.send({ method: 'GET', key, query }).catch(unlessGone);
    if (answer === undefined) return undefined;
    const page = await readAnswer(answer, 'ListPartsResult', parts);
    listed.push(...page.Part.map(({ PartNumber: number, ETag: etag, Size: bytes }) => ({ number, etag, bytes })));
    if (page.IsTruncated !== 'true' || page.Part.length === 0) break;
    marker = page.NextPartNumberMarker;
    if (listed.length > MAXIMUM_PARTS || marker === undefined) throw new HttpFailure('the parts cannot be listed');
  }
  return listed.sort((a, b) => a.number - b.number);
}

const completed = z.object({ ETag: z.string() });

/** False where there is no such upload any more: it may be complete. */
export async function completeUpload(
  client: S3Client,
  { key, id }: Upload,
  list: readonly UploadedPart[],
): Promise<boolean> {
  const body = Buffer.from(
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list
      .map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${escape(etag)}</ETag></Part>`)
      .join('')}</CompleteMultipartUpload>`,
  );
  const sha256 = createHash('sha256').update(body).digest('hex');
  const answer = await client
    .send({
      method: 'POST',
      key,
      query: { uploadId: id },
      headers: { 'content-type': 'application/xml' },
      body: { open: () => body, bytes: body.length, sha256 },
    })
    .catch(unlessGone);
  if (answer === undefined) return false;
  // The status goes out before the server has begun: an error may follow it.
  await readAnswer(answer, 'CompleteMultipartUploadResult', completed).catch((cause: unknown) => {
    throw new Unavailable('the server did not complete the upload', { cause });
  });
  return true;
}

/** Whether the object there is the one that the staging of the mark has made. */
export async function isInPlace(client: S3Client, key: string, mark: string, bytes: number): Promise<boolean> {
  const answer = await client.send({ method: 'HEAD', key }).catch(unlessGone);
  return answer?.headers[MARK_HEADER] === markOf(mark) && answer.headers['content-length'] === String(bytes);
}

/** Without effect where there is none. */
export async function abortUpload(client: S3Client, { key, id }: Upload): Promise<void> {
  const answer = await client.send({ method: 'DELETE', key, query: { uploadId: id } }).catch(unlessGone);
  if (answer) await readToEnd(answer);
}

function unlessGone(error: unknown): undefined {
  if (error instanceof S3Refusal && error.status === 404 && error.code !== 'NoSuchBucket') return undefined;
  throw error;
}

/** The names of staged bytes are secret while they are staged; whoever reads the object learns nothing of them by this. */
function markOf(temporary: string): string {
  return createHash('sha256').update(temporary).digest('hex');
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

async function* counted(chunks: AsyncIterable<Uint8Array>, client: S3Client) {
  for await (const chunk of chunks) {
    client.moved(chunk.length);
    yield chunk;
  }
}
