/** Outputs to `http(s):` URLs: kept on this node, then one PUT, which its server must take at the URL itself. */
import { mkdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { JobError, type OutputReference } from '#lib/jobs';
import { readChunks, RunningDigest } from '../copy.js';
import { pin } from '../file/descriptor.js';
import { HttpFailure, isMissing } from '../failure.js';
import { AddressRefused, HttpClient } from './http-client.js';
import { HttpCredential } from './http-credential.js';
import { isForGood } from './http-status.js';
import { type OpenedOutput } from '../outputs/open-output.js';
import { type OutputLimit } from '../outputs/output-limit.js';
import {
  bytesLost,
  type OutputPlace,
  type OutputTarget,
  refused,
  type Staged,
  type StagedOutput,
  type TargetOptions,
} from '../outputs/output-target.js';
import { areStagedBytes, openStaged, removeStaged, writeStaged } from '../outputs/staged-file.js';

export class HttpTarget implements OutputTarget {
  constructor(
    private readonly output: OutputReference,
    private readonly url: URL,
    private readonly place: OutputPlace,
  ) {}

  async stage(output: OpenedOutput, temporary: string, limit: OutputLimit, { signal }: TargetOptions): Promise<Staged> {
    await mkdir(this.place.sendDirectory, { recursive: true, mode: 0o700 });
    const directory = await pin(this.place.sendDirectory);
    try {
      return await writeStaged(output, directory, temporary, { limit, signal, finish: () => Promise.resolve() });
    } finally {
      await directory.close();
    }
  }

  /** Sends it again when it is repeated: no server is asked what it has. */
  async publish(staged: StagedOutput, { signal }: TargetOptions): Promise<void> {
    const file = await this.#inDirectory((directory) => openStaged(directory, staged.temporary));
    try {
      if (file === undefined || !(await areStagedBytes(file, staged, signal))) throw bytesLost(this.output, this.place);
      await this.#put({ file, path: staged.path, bytes: staged.bytes }, signal);
    } finally {
      await file?.close();
    }
  }

  /** Only its server knows. */
  find(): Promise<void> {
    return Promise.resolve();
  }

  async discard(temporary: string): Promise<void> {
    await this.#inDirectory((directory) => removeStaged(directory, temporary));
  }

  async #inDirectory<T>(work: (directory: Awaited<ReturnType<typeof pin>>) => Promise<T>): Promise<T | undefined> {
    const directory = await pin(this.place.sendDirectory).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    });
    try {
      return directory && (await work(directory));
    } finally {
      await directory?.close();
    }
  }

  /**
   * A redirect is refused: the body is on its way before the answer comes, and a second attempt would be one more
   * publication. Throws output-address-refused, output-refused, HttpFailure, and errors of the network.
   */
  async #put(sent: Omit<OpenedOutput, 'mode'>, signal: AbortSignal): Promise<void> {
    const digest = new RunningDigest();
    const client = new HttpClient(this.place.rules, signal);
    const stream = Readable.from(wholeFile(sent, digest, client, signal), { objectMode: false });
    try {
      const { statusCode } = await client.request({
        url: this.url,
        method: 'PUT',
        headers: HttpCredential.of(this.url, this.place.rules.credentials).headersFor(this.url),
        body: { content: stream, bytes: sent.bytes },
      });
      if (statusCode >= 300 && statusCode < 400) {
        throw refused(this.output, `HTTP status ${statusCode}, and uploads follow no redirect`);
      }
      if (isForGood(statusCode)) throw refused(this.output, `HTTP status ${statusCode}`);
      if (statusCode < 200 || statusCode >= 300) throw new HttpFailure(`HTTP status ${statusCode}`);
      if (digest.bytes !== sent.bytes) throw new HttpFailure('the server answered before it had taken everything');
    } catch (error) {
      if (!(error instanceof AddressRefused)) throw error;
      const { address } = error;
      throw JobError.of('output-address-refused', { url: this.url.href, address }, { cause: error });
    } finally {
      stream.destroy();
      await client.close();
    }
  }
}

/** Exactly the bytes that the request announced. */
async function* wholeFile(
  { file, bytes }: Omit<OpenedOutput, 'mode'>,
  digest: RunningDigest,
  client: HttpClient,
  signal: AbortSignal,
) {
  for await (const chunk of readChunks(file, signal)) {
    digest.add(chunk);
    client.moved(chunk.length);
    if (digest.bytes > bytes) break;
    yield chunk;
  }
  if (digest.bytes !== bytes) throw new HttpFailure('the file changed while it was sent');
}
