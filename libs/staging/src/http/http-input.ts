/** Inputs from `http(s):` URLs. */
import { describePrefixes, isUrlAllowed, JobError } from '#lib/jobs';
import { HttpFailure } from '../failure.js';
import { AddressRefused, HttpClient, type ResolveName } from './http-client.js';
import { HttpCredential } from './http-credential.js';
import { isForGood, isMissingStatus, isRedirect } from './http-status.js';
import { type InputSource } from '../inputs/input-source.js';
import { type StagingRules } from '../rules.js';

const MAXIMUM_REDIRECTS = 10;

export interface HttpInput {
  readonly url: URL;
  /** The container's path, for messages. */
  readonly path: string;
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
    let credential = HttpCredential.of(url, rules.credentials);
    for (let redirects = 0; redirects <= MAXIMUM_REDIRECTS; redirects++) {
      requireAllowed(url, rules);
      const { statusCode, headers, body } = await get(client, url, credential);
      if (!isRedirect(statusCode)) {
        requireWhole(statusCode, { url: url.href, path: input.path });
        return {
          chunks: counted(body, client),
          bytes: lengthOf(headers['content-length']),
          close: () => client.close(),
        };
      }
      body.destroy();
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

async function* counted(body: AsyncIterable<Uint8Array>, client: HttpClient): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of body) {
    client.moved(chunk.length);
    yield chunk;
  }
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

async function get(client: HttpClient, url: URL, credential: HttpCredential) {
  try {
    return await client.request({ url, method: 'GET', headers: credential.headersFor(url) });
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

function lengthOf(header: string | string[] | undefined): number | null {
  return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : null;
}
