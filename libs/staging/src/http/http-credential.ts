/** Which credential a request over HTTP shows, and how. */
import { isUrlAllowed } from '#lib/jobs';
import { type Credential } from '../credentials.js';
import { authorizationOf } from './http-client.js';

/** Of a URL of the job's own, not of one that a server led to. */
export class HttpCredential {
  private constructor(
    private readonly shown: Readonly<Record<string, string>>,
    private readonly isFor: (url: URL) => boolean,
  ) {}

  /** The URL's own user and password; without these, the credential with the longest prefix above the URL, where there is one. */
  static of(url: URL, credentials: readonly Credential[] = []): HttpCredential {
    const authorization = authorizationOf(url);
    if (authorization !== null) return new HttpCredential({ authorization }, ({ origin }) => origin === url.origin);
    const [own] = credentials
      .filter(({ kind, prefix }) => kind !== 's3' && isBelow(url, prefix))
      .sort((a, b) => b.prefix.length - a.prefix.length);
    return own ? new HttpCredential(headersOf(own), (next) => isBelow(next, own.prefix)) : NONE;
  }

  /** Headers of a request for the URL: none outside of what the credential is for. */
  headersFor(url: URL): Readonly<Record<string, string>> {
    return this.isFor(url) ? this.shown : {};
  }

  /** Behind a redirect to the URL: whoever leads elsewhere and back again gets nothing more. */
  after(url: URL): HttpCredential {
    return this.isFor(url) ? this : NONE;
  }

  static readonly none = new HttpCredential({}, () => false);
}

const NONE = HttpCredential.none;

function isBelow(url: URL, prefix: string): boolean {
  const plain = new URL(url);
  plain.username = plain.password = plain.hash = '';
  return isUrlAllowed(plain.href, { prefixes: [prefix], foreign: [] });
}

function headersOf(credential: Credential): Readonly<Record<string, string>> {
  switch (credential.kind) {
    case 'bearer':
      return { authorization: `Bearer ${credential.token}` };
    case 'basic':
      // RFC 7617.
      return {
        authorization: `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`,
      };
    case 'headers':
      return credential.headers;
    case 's3':
      return {};
  }
}
