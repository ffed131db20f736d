/** Inputs from `s3:` URLs: one object, read on where its connection breaks, never of two versions. */
import { JobError, type S3Url } from '#lib/jobs';
import { HttpFailure } from '../failure.js';
import { resuming } from '../http/broken.js';
import { AddressRefused, type ResolveName } from '../http/http-client.js';
import { lengthOf, mayBeKept, rangeStart, strongEtag } from '../http/http-headers.js';
import { isMissingStatus } from '../http/http-status.js';
import { type InputSource } from '../inputs/input-source.js';
import { type StagingRules } from '../rules.js';
import { S3Client, S3Refusal } from './s3-client.js';

export interface S3Input {
  readonly url: S3Url;
  /** As the job has it. */
  readonly text: string;
  /** The container's path, for messages. */
  readonly path: string;
  /** That the job names. */
  readonly sha256?: string | undefined;
}

/** Throws input-not-found, input-refused, input-address-refused, HttpFailure, and errors of the network. */
export async function openS3Input(
  input: S3Input,
  rules: StagingRules,
  signal: AbortSignal,
  resolve?: ResolveName,
): Promise<InputSource> {
  const client = new S3Client(input.url, input.text, rules, signal, resolve);
  const { key } = input.url;
  try {
    const url = client.urlOf(key);
    const known = await rules.cache?.at(url);
    const { statusCode, headers, body } = await client.send({
      method: 'GET',
      key,
      ...(known && { headers: known.version.headers }),
    });
    const { etag } = headers;
    const bytes = lengthOf(headers['content-length']);
    const version = { url, etag: strongEtag(etag), isOpen: client.isAnonymous };
    if (known?.version.isStill({ statusCode, bytes, ...version }, input.sha256)) {
      await client.close();
      return await known.open(signal);
    }
    const openAt = async (offset: number) => {
      const range = { range: `bytes=${offset}-`, 'if-match': String(etag) };
      const rest = await client.send({ method: 'GET', key, headers: range }).catch((error: unknown) => {
        throw error instanceof S3Refusal && [404, 412].includes(error.status) ? changed(error) : error;
      });
      if (rangeStart(rest) === offset && rest.headers.etag === etag) return rest.body;
      rest.discard();
      throw changed();
    };
    return {
      chunks: resuming(body, { bytes, openAt: typeof etag === 'string' ? openAt : null }, signal),
      bytes,
      close: () => client.close(),
      ...(mayBeKept(headers['cache-control']) && { version }),
    };
  } catch (error) {
    await client.close();
    throw asInputError(error, input, client.host);
  }
}

/** What the submitter or the administrator must mend, in the words of the catalogue; any other error as it is. */
export function asInputError(
  error: unknown,
  { text: url, path }: Pick<S3Input, 'text' | 'path'>,
  host: string,
): unknown {
  if (error instanceof AddressRefused) {
    return JobError.of('input-address-refused', { url: host, address: error.address }, { cause: error });
  }
  if (!(error instanceof S3Refusal)) return error;
  if (isMissingStatus(error.status)) return JobError.of('input-not-found', { url, path }, { cause: error });
  return JobError.of('input-refused', { url, path, detail: error.message }, { cause: error });
}

function changed(cause?: unknown): HttpFailure {
  return new HttpFailure('the object changed while it was fetched', { cause });
}
