/**
 * Outputs to `s3:` URLs. They are staged as an uncompleted multipart upload, all of whose parts have arrived, and put in place by
 * completing it, once, whoever does it: nobody sees an object before, nor half of one. Any node can complete it.
 */
import { JobError, type OutputReference, type S3Url } from '#lib/jobs';
import { RunningDigest } from '../copy.js';
import { HttpFailure } from '../failure.js';
import { AddressRefused } from '../http/http-client.js';
import { type OpenedOutput } from '../outputs/open-output.js';
import { type OutputLimit, tooLarge } from '../outputs/output-limit.js';
import {
  bytesLost,
  type OutputPlace,
  type OutputTarget,
  refused,
  type Staged,
  type StagedOutput,
  type TargetOptions,
} from '../outputs/output-target.js';
import { S3Client, S3Refusal } from './s3-client.js';
import {
  abortUpload,
  completeUpload,
  createUpload,
  isInPlace,
  listParts,
  partBytes,
  sendPart,
  type Upload,
} from './upload.js';
import { forgetUpload, recordedUpload, recordUpload } from './upload-record.js';

/** For what is left to do when the attempt was told to stop. */
const ABORT_MS = 30_000;

export class S3Target implements OutputTarget {
  /** `upload`: of the manifest, where there is one. */
  constructor(
    private readonly output: OutputReference & Pick<StagedOutput, 'upload'>,
    private readonly url: S3Url,
    private readonly place: OutputPlace,
  ) {}

  async stage(output: OpenedOutput, temporary: string, limit: OutputLimit, { signal }: TargetOptions): Promise<Staged> {
    try {
      return await this.#inWords(signal, async (client) => {
        const upload = await this.#begin(client, temporary);
        return { ...(await sendAll(client, upload, output, limit, signal)), upload: upload.id };
      });
    } catch (error) {
      await this.discard(temporary).catch(() => undefined);
      throw error;
    }
  }

  async publish({ upload: id, temporary, bytes }: StagedOutput, { signal }: TargetOptions): Promise<void> {
    if (id === undefined) throw bytesLost(this.output, this.place);
    const upload = { key: this.url.key, id };
    await this.#inWords(signal, async (client) => {
      const parts = await listParts(client, upload);
      if (parts && parts.reduce((sum, part) => sum + part.bytes, 0) !== bytes) throw bytesLost(this.output, this.place);
      signal.throwIfAborted();
      const isDone = parts !== undefined && (await completeUpload(client, upload, parts));
      // Whoever completed it had the same manifest; or nobody has heard the answer.
      if (!isDone && !(await isInPlace(client, upload.key, temporary, bytes))) throw bytesLost(this.output, this.place);
    });
    await forgetUpload(this.place.sendDirectory, temporary);
  }

  /** Only its server knows. */
  find(): Promise<void> {
    return Promise.resolve();
  }

  /** Of an upload that this node has begun, or that the manifest names. It is remembered until it is gone. */
  async discard(temporary: string): Promise<void> {
    const { sendDirectory } = this.place;
    const id = this.output.upload ?? (await recordedUpload(sendDirectory, temporary));
    if (id !== undefined) {
      const upload = { key: this.url.key, id };
      await this.#with(AbortSignal.timeout(ABORT_MS), (client) => abortUpload(client, upload));
    }
    await forgetUpload(sendDirectory, temporary);
  }

  /** Recorded before its first part is sent. */
  async #begin(client: S3Client, temporary: string): Promise<Upload> {
    const upload = await createUpload(client, this.url.key, temporary);
    try {
      await recordUpload(this.place.sendDirectory, temporary, upload.id);
    } catch (error) {
      await abortUpload(client, upload).catch(() => undefined);
      throw error;
    }
    return upload;
  }

  async #inWords<T>(signal: AbortSignal, work: (client: S3Client) => Promise<T>): Promise<T> {
    return this.#with(signal, (client) =>
      work(client).catch((error: unknown) => {
        if (error instanceof S3Refusal) throw refused(this.output, error.message, error);
        if (!(error instanceof AddressRefused)) throw error;
        throw JobError.of('output-address-refused', { url: client.host, address: error.address }, { cause: error });
      }),
    );
  }

  async #with<T>(signal: AbortSignal, work: (client: S3Client) => Promise<T>): Promise<T> {
    const client = new S3Client(this.url, this.output.url, this.place.rules, signal);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }
}

/** An empty object has one part, which is empty. */
async function sendAll(
  client: S3Client,
  upload: Upload,
  { file, path }: OpenedOutput,
  limit: OutputLimit,
  signal: AbortSignal,
) {
  const { size } = await file.stat();
  if (size > limit.bytes) throw tooLarge(path, limit);
  const digest = new RunningDigest();
  const length = partBytes(size);
  for (let number = 1; number === 1 || digest.bytes < size; number++) {
    const range = { position: digest.bytes, bytes: Math.min(length, size - digest.bytes) };
    await sendPart(client, upload, number, range, { file, digest, signal });
  }
  if ((await file.stat()).size !== size) throw new HttpFailure('the file changed while it was sent');
  return digest.finish();
}
