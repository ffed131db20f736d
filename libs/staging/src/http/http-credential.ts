/** Which credential a request over HTTP shows, and how. */
import { isUrlAllowed } from '#lib/jobs';
import { type Credential } from '../credentials.js';
import { authorizationOf } from './http-client.js';

/** Names in lower case. */
type Headers = Readonly<Record<string, string>>;

export class HttpCredential {
  private constructor(
    private readonly shown: Headers,
    private readonly isFor: (url: URL) => boolean,
  ) {}

  /**
   * For a URL of the job's own, not for one that a server led to: the URL's own user and password; without these, the
   * credential with the longest prefix above the URL, where there is one.
   */
  static of(url: URL, credentials: readonly Credential[]): HttpCredential {
    const authorization = authorizationOf(url);
    if (authorization !== null) return HttpCredential.forOrigin(url, { authorization });
    const own = credentialFor(plainText(url), credentials);
    return own ? new HttpCredential(headersOf(own), (next) => isBelow(plainText(next), own)) : HttpCredential.#none;
  }

  /** What is for the origin of the URL, and no other. */
  static forOrigin({ origin }: URL, headers: Headers): HttpCredential {
    return new HttpCredential(headers, (next) => next.origin === origin);
  }

  static readonly #none = new HttpCredential({}, () => false);

  /** Headers of a request for the URL: none outside of what the credential is for. */
  headersFor(url: URL): Headers {
    return this.isFor(url) ? this.shown : {};
  }

  /** Behind a redirect to the URL: whoever leads elsewhere and back again gets nothing more. */
  after(url: URL): HttpCredential {
    return this.isFor(url) ? this : HttpCredential.#none;
  }
}

/** Of those that show headers and are for the URL, however a server reads it, the one with the longest prefix. */
export function credentialFor(text: string, credentials: readonly Credential[]): Credential | undefined {
  return credentials
    .filter((credential) => credential.kind !== 's3' && isBelow(text, credential))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0];
}

function isBelow(text: string, { prefix }: Credential): boolean {
  return isUrlAllowed(text, { prefixes: [prefix], foreign: [] });
}

function plainText(url: URL): string {
  const plain = new URL(url);
  plain.username = plain.password = plain.hash = '';
  return plain.href;
}

/** Nothing for one that signs requests. */
export function headersOf(credential: Credential): Headers {
  switch (credential.kind) {
    case 'bearer':
      return { authorization: `Bearer ${credential.token}` };
    case 'basic':
      // RFC 7617.
      return {
        authorization: `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`,
      };
    case 'headers':
      return Object.fromEntries(Object.entries(credential.headers).map(([name, value]) => [name.toLowerCase(), value]));
    case 's3':
      return {};
  }
}
