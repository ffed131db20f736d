/** Which failures of a transfer are worth another try by the same worker, and the pauses between tries. */
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, HttpFailure } from '../failure.js';

/** In a row, each of which brought nothing. */
const MAXIMUM_FAILURES = 6;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;

const BROKEN: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
]);

/** A status by which a server says that it may answer the same request otherwise soon. */
export class Unavailable extends HttpFailure {}

export function isPassingStatus(status: number): boolean {
  return status >= 500 || [408, 425, 429].includes(status);
}

/** The connection broke, was never made, or the server had no time. */
export function isBroken(error: unknown): boolean {
  return error instanceof Unavailable || BROKEN.has(errorCode(error) ?? '');
}

/** Rejects with the signal's reason when it is aborted. `failures`: so far, from 1. */
async function pauseAfter(failures: number, signal: AbortSignal): Promise<void> {
  const longest = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
  // Many transfers that broke together do not come back together.
  await sleep(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Does it again, with pauses, while it fails by what may pass. Rejects with the last failure. */
export async function retrying<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      if (!isBroken(error) || failures >= MAXIMUM_FAILURES) throw error;
      await pauseAfter(failures, signal);
    }
  }
}

export interface Resumable {
  /** As it was announced; null where it was not. */
  readonly bytes: number | null;
  /** The rest from an offset in bytes. Null: nobody can tell that it would be of the same version. */
  readonly openAt: ((offset: number) => Promise<AsyncIterable<Uint8Array>>) | null;
}

/** Pieces of one body, in order: where its connection breaks, the rest is asked for. Throws HttpFailure where it is not all that was announced. */
export async function* resuming(
  first: AsyncIterable<Uint8Array>,
  { bytes, openAt }: Resumable,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  let body: AsyncIterable<Uint8Array> | undefined = first;
  for (let offset = 0, failures = 0; ;) {
    try {
      body ??= await openAt?.(offset);
      for await (const chunk of body ?? []) {
        offset += chunk.length;
        failures = 0;
        yield chunk;
      }
      // A server may give less of the rest than it was asked for.
      if (bytes !== null && offset !== bytes) throw new HttpFailure(`the server has sent ${offset} of ${bytes} bytes`);
      return;
    } catch (error) {
      failures += 1;
      if (openAt === null || !isBroken(error) || failures >= MAXIMUM_FAILURES) throw error;
      body = undefined;
      await pauseAfter(failures, signal);
    }
  }
}
