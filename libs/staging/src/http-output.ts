/** Outputs to `http(s):` URLs: one PUT, which its server must take at the URL itself. */
import { Readable } from 'node:stream';
import { JobError } from '#lib/jobs';
import { readChunks, RunningDigest } from './copy.js';
import { HttpFailure } from './failure.js';
import { AddressRefused, authorizationOf, HttpClient } from './http-client.js';
import { isForGood } from './http-status.js';
import { type OpenedOutput } from './open-output.js';
import { type Publication, refused } from './publication.js';
import { type StoredFile } from './rules.js';

/**
 * A redirect is refused: the body is on its way before the answer comes, and a second attempt would be one more
 * publication. Throws output-address-refused, output-refused, HttpFailure, and errors of the network.
 */
export async function publishToHttp(output: OpenedOutput, url: URL, publication: Publication): Promise<StoredFile> {
  const { rules, signal } = publication;
  const digest = new RunningDigest();
  const stream = Readable.from(wholeFile(output, digest, signal), { objectMode: false });
  const client = new HttpClient(rules, signal);
  try {
    await publication.beforeCommit();
    signal.throwIfAborted();
    const { statusCode } = await client.request({
      url,
      method: 'PUT',
      authorization: authorizationOf(url),
      body: { stream, bytes: output.bytes },
    });
    if (statusCode >= 300 && statusCode < 400) {
      throw refused(publication, `HTTP status ${statusCode}, and uploads follow no redirect`);
    }
    if (isForGood(statusCode)) throw refused(publication, `HTTP status ${statusCode}`);
    if (statusCode < 200 || statusCode >= 300) throw new HttpFailure(`HTTP status ${statusCode}`);
    if (digest.bytes !== output.bytes) throw new HttpFailure('the server answered before it had taken everything');
    return digest.finish();
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    throw JobError.of('output-address-refused', { url: url.href, address: error.address }, { cause: error });
  } finally {
    stream.destroy();
    await client.close();
  }
}

/** Exactly the bytes that the request announced. */
async function* wholeFile({ file, bytes }: OpenedOutput, digest: RunningDigest, signal: AbortSignal) {
  for await (const chunk of readChunks(file, signal)) {
    digest.add(chunk);
    if (digest.bytes > bytes) break;
    yield chunk;
  }
  if (digest.bytes !== bytes) throw new HttpFailure('the file changed while it was sent');
}
