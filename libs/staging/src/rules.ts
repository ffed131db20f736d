/** What data references may reach on this node, and the words of this library. */
import { type Credential } from './credentials.js';

export interface StagingRules {
  /** `file:`, `http:` and `https:` URLs; see `isUrlAllowed`. Empty: nothing is allowed. */
  readonly inputPrefixes: readonly string[];
  readonly outputPrefixes: readonly string[];
  /** Those of other tenants: what lies below one is allowed by none of the above. */
  readonly foreignPrefixes: readonly string[];
  /** Let http(s) reach private, loopback, link-local and other addresses outside the public internet. */
  readonly allowPrivateAddresses: boolean;
  /** Largest single input. */
  readonly inputLimitBytes: number;
  readonly httpTimeouts?: HttpTimeouts;
  /** What opens URLs below their prefixes; see `credentials.ts`. */
  readonly credentials?: readonly Credential[];
}

export interface HttpTimeouts {
  /** Name resolution, TCP and TLS together. */
  readonly connectMs: number;
  /** Between the request, or the last of its body that was taken, and the answer's headers. */
  readonly answerMs: number;
  /** Between two pieces of an answer's body. */
  readonly stallMs: number;
  /** A transfer takes this long at most, and as long again as its bytes take at the least rate. More than the waits above together. */
  readonly graceMs: number;
  readonly leastBytesPerS: number;
}

export const DEFAULT_HTTP_TIMEOUTS: HttpTimeouts = {
  connectMs: 15_000,
  answerMs: 120_000,
  stallMs: 60_000,
  graceMs: 300_000,
  leastBytesPerS: 64 * 1024,
};

/** The bytes as they were stored or sent. */
export interface StoredFile {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}
