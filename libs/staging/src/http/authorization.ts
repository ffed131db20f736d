/** What a request over HTTP says of who sends it: the URL's own user, or the job's credential for it. */
import { longestPrefix } from '#lib/jobs';
import { type Credential } from '../credentials.js';
import { type StagingRules } from '../rules.js';
import { authorizationOf } from './http-client.js';

/**
 * Headers for `url`, which is `named` itself or where its own server has led to. A credential goes no further than its prefix.
 * Empty where nobody is to be told who asks.
 */
export function authorizationFor(
  url: URL,
  named: URL,
  { credentials }: Pick<StagingRules, 'credentials'>,
): Readonly<Record<string, string>> {
  const own = authorizationOf(named);
  if (own !== null) return { authorization: own };
  const credential = longestPrefix(named.href, credentials);
  return credential === undefined || longestPrefix(url.href, [credential]) === undefined
    ? {}
    : credentialHeaders(credential);
}

/** Names in lower case. Nothing for a credential that signs requests. */
export function credentialHeaders(credential: Credential): Readonly<Record<string, string>> {
  switch (credential.kind) {
    case 'bearer':
      return { authorization: `Bearer ${credential.token}` };
    case 'basic':
      return {
        authorization: `Basic ${Buffer.from(`${credential.user}:${credential.password}`).toString('base64')}`,
      };
    case 'headers':
      return Object.fromEntries(Object.entries(credential.headers).map(([name, value]) => [name.toLowerCase(), value]));
    case 's3':
      return {};
  }
}
