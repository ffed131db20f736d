/** What data references may reach on this node, and the words of this library. */
import { type CachedInputs } from './cache/cached-inputs.js';
import { type Credential } from './credentials.js';
import { type S3Endpoint } from './s3/endpoint.js';

export interface StagingRules {
  /** URLs of any scheme; see `isUrlAllowed`. Empty: nothing is allowed. */
  readonly inputPrefixes: readonly string[];
  readonly outputPrefixes: readonly string[];
  /** Those of other tenants: what lies below one is allowed by none of the above. */
  readonly foreignPrefixes: readonly string[];
  /** Let http(s) reach private, loopback, link-local and other addresses outside the public internet. */
  readonly allowPrivateAddresses: boolean;
  /** Of one attempt. The one of the longest prefix opens a URL; without one it is asked for by nobody's name. */
  readonly credentials: readonly Credential[];
  /** Where buckets are. The one of the longest prefix counts; without one it is AWS. Their addresses may be private. */
  readonly s3Endpoints: readonly S3Endpoint[];
  /** Largest single input. */
  readonly inputLimitBytes: number;
  /** All inputs of a job together. */
  readonly jobInputsLimitBytes: number;
  readonly httpTimeouts?: HttpTimeouts;
  /** Between two pieces of a file of this node. By default FILE_STALL_MS. */
  readonly fileStallMs?: number;
  /** PEM of authorities whose servers are trusted beside the public ones. */
  readonly authorities?: string | undefined;
  /** Of one input. Without it, everything is fetched. */
  readonly cache?: CachedInputs | undefined;
}

/** Files that are not on a disk at the moment are brought to one first. */
export const FILE_STALL_MS = 300_000;

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
