/** Requests to one bucket: signed, sent again where that may help, and their refusals in words. */
import { createHash } from 'node:crypto';
import { type Readable } from 'node:stream';
import { AwsV4Signer } from 'aws4fetch';
import { longestPrefix, type S3Url } from '#lib/jobs';
import { type S3Credential } from '../credentials.js';
import { HttpFailure } from '../failure.js';
import { isPassingStatus, retrying, Unavailable } from '../http/broken.js';
import { type HttpAnswer, HttpClient, type ResolveName } from '../http/http-client.js';
import { type StagingRules } from '../rules.js';
import { readErrorCode } from './answer.js';
import { type BucketPlace, bucketPlace, objectUrl } from './endpoint.js';

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Empty: the bucket itself. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: S3Body;
}

export interface S3Body {
  /** Called for each time that it is sent. */
  readonly open: () => Readable | Uint8Array;
  readonly bytes: number;
  /** Lower-case hexadecimal; signed, so that the server takes no other content. */
  readonly sha256: string;
}

/** The server said no, for good. */
export class S3Refusal extends HttpFailure {
  constructor(
    readonly status: number,
    /** As S3 names it: NoSuchKey, AccessDenied; undefined where the answer has none. */
    readonly code: string | undefined,
    isAnonymous: boolean,
  ) {
    const nobody = isAnonymous && [401, 403].includes(status) ? ', and the job has no S3 credential for this URL' : '';
    super(`${statusText(status, code)}${nobody}`);
  }
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');

export class S3Client {
  readonly #place: BucketPlace;
  readonly #credential: S3Credential | undefined;
  readonly #http: HttpClient;

  /** `text`: the URL as the job has it. */
  constructor(
    url: S3Url,
    text: string,
    rules: StagingRules,
    private readonly signal: AbortSignal,
    resolve?: ResolveName,
  ) {
    this.#place = bucketPlace(url, rules.s3Endpoints);
    this.#credential = longestPrefix(
      text,
      rules.credentials.filter((credential) => credential.kind === 's3'),
    );
    const allowPrivateAddresses = rules.allowPrivateAddresses || this.#place.isConfigured;
    this.#http = new HttpClient({ ...rules, allowPrivateAddresses }, signal, resolve);
  }

  /** Whether requests are nobody's. */
  get isAnonymous(): boolean {
    return this.#credential === undefined;
  }

  /** Where the object is. */
  urlOf(key: string): URL {
    return objectUrl(this.#place, key);
  }

  /** The place of the bucket, for messages. */
  get host(): string {
    return this.#place.url;
  }

  /**
   * Tries again, with pauses, while connections break or the server has no time. Throws S3Refusal, AddressRefused, HttpFailure
   * and what breaks connections. A redirect is none of ours: its target would get the signature.
   */
  send(request: S3Request): Promise<HttpAnswer> {
    return retrying(() => this.#sendOnce(request), this.signal);
  }

  /** Bytes of a request's body. */
  moved(bytes: number): void {
    this.#http.moved(bytes);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #sendOnce({ method, key, query, headers, body }: S3Request): Promise<HttpAnswer> {
    const url = objectUrl(this.#place, key, query);
    const response = await this.#http.request({
      url,
      method,
      headers: await this.#signed(method, url, headers, body?.sha256 ?? EMPTY_SHA256),
      ...(body && { body: { content: body.open(), bytes: body.bytes } }),
    });
    const { statusCode: status } = response;
    if (status >= 200 && status < 300) return response;
    if (status === 304 && headers?.['if-none-match'] !== undefined) return response;
    const code = await readErrorCode(response);
    response.discard();
    if (isPassingStatus(status)) throw new Unavailable(statusText(status, code));
    if (status >= 400) throw new S3Refusal(status, code, this.isAnonymous);
    throw new HttpFailure(`${statusText(status, code)}, and requests to S3 follow no redirect: is this its region?`);
  }

  async #signed(
    method: string,
    url: URL,
    headers: Readonly<Record<string, string>> = {},
    sha256: string,
  ): Promise<Readonly<Record<string, string>>> {
    if (this.#credential === undefined) return headers;
    const { accessKeyId, secretAccessKey, sessionToken } = this.#credential;
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      headers: { ...headers, 'x-amz-content-sha256': sha256 },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
      service: 's3',
      region: this.#place.region,
    });
    return Object.fromEntries((await signer.sign()).headers);
  }
}

function statusText(status: number, code: string | undefined): string {
  return `HTTP status ${status}${code === undefined ? '' : ` ${code}`}`;
}
