/** Inputs from `http(s):` URLs. */
import { describePrefixes, isUrlAllowed, JobError } from '#lib/jobs';
import { HttpFailure } from '../failure.js';
import { isPassingStatus, resuming, Unavailable } from './broken.js';
import { AddressRefused, type HttpAnswer, HttpClient, type ResolveName } from './http-client.js';
import { HttpCredential } from './http-credential.js';
import { lengthOf, mayBeKept, rangeStart, strongEtag } from './http-headers.js';
import { isForGood, isMissingStatus, isRedirect } from './http-status.js';
import { type InputSource } from '../inputs/input-source.js';
import { type StagingRules } from '../rules.js';

const MAXIMUM_REDIRECTS = 10;

export interface HttpInput {
  readonly url: URL;
  /** The container's path, for messages. */
  readonly path: string;
  /** In the place of one of the job's. */
  readonly credential?: HttpCredential;
  /** That the job names. */
  readonly sha256?: string | undefined;
}

/**
 * Every hop of a redirect is held to the prefixes and to the address rules like the first one. Throws input-not-allowed,
 * input-address-refused, input-not-found, input-refused, HttpFailure, and errors of the network.
 */
export async function openHttpInput(
  input: HttpInput,
  rules: StagingRules,
  signal: AbortSignal,
  resolve?: ResolveName,
): Promise<InputSource> {
  const client = new HttpClient(rules, signal, resolve);
  try {
    let { url } = input;
    let credential = input.credential ?? HttpCredential.of(url, rules.credentials);
    let isOpen = url.search === '';
    for (let redirects = 0; redirects <= MAXIMUM_REDIRECTS; redirects++) {
      requireAllowed(url, rules);
      const authorization = credential.headersFor(url);
      isOpen &&= Object.keys(authorization).length === 0;
      const known = await rules.cache?.at(url);
      const answer = await get(client, url, { ...authorization, ...known?.version.headers });
      const { statusCode, headers, body } = answer;
      if (!isRedirect(statusCode)) {
        const etag = strongEtag(headers.etag);
        const bytes = lengthOf(headers['content-length']);
        if (known?.version.isStill({ statusCode, etag, bytes }, input.sha256)) {
          await client.close();
          return await known.open(signal);
        }
        requireWhole(statusCode, { url: url.href, path: input.path });
        return {
          chunks: resuming(body, { bytes, openAt: restOf(client, url, answer, authorization) }, signal),
          bytes,
          close: () => client.close(),
          ...(mayBeKept(headers['cache-control']) && { version: { url, etag, isOpen } }),
        };
      }
      answer.discard();
      const next = redirectTarget(headers.location, url);
      credential = credential.after(next);
      url = next;
    }
    throw new HttpFailure(`more than ${MAXIMUM_REDIRECTS} redirects`);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Null where nobody can tell that the rest would be of the same version (RFC 9110, section 13.1.5). */
function restOf(
  client: HttpClient,
  url: URL,
  { headers }: HttpAnswer,
  authorization: Readonly<Record<string, string>>,
): ((offset: number) => Promise<AsyncIterable<Uint8Array>>) | null {
  const etag = strongEtag(headers.etag);
  if (etag === undefined) return null;
  return async (offset) => {
    const rest = await get(client, url, { ...authorization, range: `bytes=${offset}-`, 'if-range': etag });
    if (rangeStart(rest) === offset && rest.headers.etag === etag) return rest.body;
    rest.discard();
    const { statusCode } = rest;
    if (isPassingStatus(statusCode)) throw new Unavailable(`HTTP status ${statusCode}`);
    throw new HttpFailure(
      'the connection ended before the transfer did, and the server gave no more of the same content',
    );
  };
}

/** A redirect to `file:` is refused whatever the prefixes say: no server may name the node's files. */
function requireAllowed(url: URL, rules: StagingRules): void {
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  const { inputPrefixes: prefixes, foreignPrefixes: foreign } = rules;
  if (isHttp && isUrlAllowed(withoutFragment(url), { prefixes, foreign })) return;
  throw JobError.of('input-not-allowed', { url: url.href, detail: describePrefixes(prefixes) });
}

/** A redirect's own is for browsers, and is not sent. */
function withoutFragment(url: URL): string {
  const plain = new URL(url);
  plain.hash = '';
  return plain.href;
}

async function get(client: HttpClient, url: URL, headers: Readonly<Record<string, string>>) {
  try {
    return await client.request({ url, method: 'GET', headers });
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    throw JobError.of('input-address-refused', { url: url.href, address: error.address }, { cause: error });
  }
}

function requireWhole(status: number, details: { url: string; path: string }): void {
  if (status === 200 || status === 203) return;
  if (isMissingStatus(status)) throw JobError.of('input-not-found', details);
  if (isForGood(status)) throw JobError.of('input-refused', { ...details, detail: `HTTP status ${status}` });
  throw new HttpFailure(`HTTP status ${status}`);
}

function redirectTarget(location: string | string[] | undefined, base: URL): URL {
  const text = Array.isArray(location) ? location[0] : location;
  if (text === undefined || !URL.canParse(text, base.href)) throw new HttpFailure('a redirect to no valid URL');
  return new URL(text, base);
}
