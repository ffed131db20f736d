/** Reads the body of a request whose sender is known: bounded bytes of UTF-8 JSON of bounded shape, or nothing at all. */
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { MIMEType } from 'node:util';
import { PorinError } from '../errors/porin-error.js';
import { type BodyShare } from './body-memory.js';
import { jsonProblem } from './scan-json.js';

interface WithHeaders {
  readonly headers: IncomingHttpHeaders;
}

/** Whether the request says that bytes follow its headers. */
export function announcesBody({ headers }: WithHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * What the headers say of the body, before anything of it is read. Throws body-too-large, unsupported-media-type and
 * expectation-failed.
 */
export function judgeDeclaredBody(request: WithHeaders, limitBytes: number): void {
  const { headers } = request;
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    throw new PorinError('expectation-failed', 'Only "Expect: 100-continue" is understood.');
  }
  if (Number(headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && transfer.toLowerCase() !== 'chunked') {
    throw new PorinError('unsupported-media-type', 'The only Transfer-Encoding that is understood is chunked.');
  }
}

/** Throws unsupported-media-type unless the body is UTF-8 JSON that nothing has encoded. */
export function judgeMediaType(request: WithHeaders): void {
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = request.headers;
  if (encoding.trim().toLowerCase() !== 'identity') {
    const headers = { 'Accept-Encoding': 'identity' };
    throw new PorinError('unsupported-media-type', 'Send the body without a Content-Encoding.', { headers });
  }
  if (type === undefined && !announcesBody(request)) return;
  if (type === 'application/json') return;
  const mime = mimeOf(type);
  if (mime?.essence !== 'application/json') {
    throw new PorinError('unsupported-media-type', 'Send the body as "Content-Type: application/json".');
  }
  const charset = mime.params.get('charset')?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new PorinError('unsupported-media-type', 'Send the body in UTF-8, the only charset of JSON.');
  }
}

const FIRST_BYTES = 16 * 1024;

/**
 * The bytes of the body, however it is sent, in one buffer of at most twice its length: a part of one byte costs a byte, and
 * no object. Who waits for "100 Continue" gets it now. Throws body-too-large once more than `limitBytes` have come, what
 * `share` throws, and malformed-request where the client hangs up.
 */
export async function readBytes(
  request: IncomingMessage,
  response: ServerResponse,
  { limitBytes, share }: { readonly limitBytes: number; readonly share: BodyShare },
): Promise<Buffer> {
  if (request.headers.expect !== undefined) response.writeContinue();
  let held: Buffer = Buffer.alloc(0);
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      request.off('data', take).off('end', end).off('error', hangUp).off('close', hangUp);
      settled();
    };
    const refuse = (problem: Error) => {
      request.pause();
      settle(() => reject(problem));
    };
    const take = (part: Buffer) => {
      if (bytes + part.length > limitBytes) return refuse(tooLarge(limitBytes));
      try {
        held = withRoom(held, bytes + part.length, { limitBytes, share });
      } catch (error) {
        return refuse(error as Error);
      }
      bytes += part.copy(held, bytes);
    };
    const end = () => settle(() => resolve(held.subarray(0, bytes)));
    const hangUp = () => settle(() => reject(new PorinError('malformed-request', 'The body ended too early.')));
    request.on('data', take).on('end', end).on('error', hangUp).on('close', hangUp);
  });
}

/** The same bytes, with room for `neededBytes`; it at least doubles, so that few bytes are copied twice. */
function withRoom(
  held: Buffer,
  neededBytes: number,
  { limitBytes, share }: { readonly limitBytes: number; readonly share: BodyShare },
): Buffer {
  if (neededBytes <= held.length) return held;
  const size = Math.min(limitBytes, Math.max(neededBytes, 2 * held.length, FIRST_BYTES));
  share.grow(size - held.length);
  const larger = Buffer.allocUnsafeSlow(size);
  held.copy(larger);
  return larger;
}

/** V8 quotes what stands beside the problem, which may be a secret. */
function withoutQuote(message: string): string {
  return message.replace(/, (\.\.\.)?".*$/s, '');
}

/** Undefined for no bytes. Throws malformed-request and request-too-complex. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  const text = utf8(bytes);
  const problem = jsonProblem(text);
  if (problem?.kind === 'too-complex') throw new PorinError('request-too-complex', problem.message);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new PorinError('malformed-request', `The body is no JSON: ${withoutQuote((error as Error).message)}.`);
  }
  if (problem) throw new PorinError('malformed-request', `The body is ambiguous: ${problem.message}.`);
  return json;
}

function mimeOf(type: string | undefined): MIMEType | undefined {
  try {
    return type === undefined ? undefined : new MIMEType(type);
  } catch {
    return undefined;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function utf8(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new PorinError('malformed-request', 'The body is not UTF-8.');
  }
}

function tooLarge(limitBytes: number): PorinError {
  return new PorinError('body-too-large', `The request is larger than ${limitBytes} bytes. Pass large inputs by URL.`);
}
