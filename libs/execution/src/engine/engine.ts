/**
 * The HTTP client of a container engine on its Unix socket. Whatever answers there, a call ends in time with an answer that
 * was checked or with an EngineError: no redirect is followed, and every answer is bounded.
 */
import { type Readable } from 'node:stream';
import { Pool } from 'undici';
import { type z } from 'zod';
import { EngineError, toEngineError } from './engine-error.js';

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Each part is encoded; none may be empty or lead elsewhere. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  /** Beside those that this client sends itself. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly tar?: Buffer;
  /** For the whole answer; of a stream, for its beginning. */
  readonly timeoutMs?: number;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** Far beyond what a loaded engine takes; one that hangs must not hold a slot for ever. */
const ANSWER_TIMEOUT_MS = 180_000;
const ANSWER_LIMIT_BYTES = 1024 * 1024;
/** Of the text that comes with an error status. */
const ERROR_LIMIT_BYTES = 16 * 1024;
const HEADER_LIMIT_BYTES = 16 * 1024;

export class Engine {
  readonly #pool: Pool;

  /** `socketPath`: absolute path of the engine's Unix socket. */
  constructor(readonly socketPath: string) {
    this.#pool = new Pool('http://engine', {
      socketPath,
      // A connection for each request: one that was kept would be dead after the engine's restart.
      pipelining: 0,
      maxHeaderSize: HEADER_LIMIT_BYTES,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** The JSON of a successful answer, as the schema reads it. Throws EngineError. */
  async json<Schema extends z.ZodType>(schema: Schema, request: EngineRequest): Promise<z.output<Schema>> {
    const { limitBytes = ANSWER_LIMIT_BYTES } = request;
    const text = await this.#answer(request, (body) => readText(body, limitBytes));
    const parsed = schema.safeParse(parseJson(text));
    if (!parsed.success)
      throw new EngineError('malformed', `the answer is not what was expected: ${parsed.error.message}`);
    return parsed.data;
  }

  /** A request whose answer says nothing but that it succeeded. Throws EngineError. */
  async send(request: EngineRequest): Promise<void> {
    await this.#answer(request, (body) => readText(body, request.limitBytes ?? ANSWER_LIMIT_BYTES));
  }

  /**
   * The body of a successful answer, which the caller reads to its end or destroys: it has no bound. Its errors end nothing
   * else. Throws EngineError.
   */
  async stream(request: EngineRequest): Promise<Readable> {
    return this.#answer(request, (body) => Promise.resolve(body));
  }

  async #answer<T>(request: EngineRequest, read: (body: Readable) => Promise<T>): Promise<T> {
    const { timeoutMs = ANSWER_TIMEOUT_MS, signal } = request;
    signal?.throwIfAborted();
    const ended = new AbortController();
    const timer = setTimeout(
      () => ended.abort(new EngineError('timeout', `no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const onAbort = () => ended.abort(new EngineError('aborted', 'the caller gave up'));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const { statusCode, body } = await this.#pool.request({
        method: request.method,
        path: pathOf(request),
        ...contentOf(request),
        signal: ended.signal,
      });
      // Whoever reads it sees its errors too; one that nobody reads must not end the process by an error.
      body.on('error', () => undefined);
      if (statusCode >= 200 && statusCode < 300) return await read(body);
      throw new EngineError('status', await errorText(body), statusCode);
    } catch (cause) {
      throw toEngineError(ended.signal.aborted ? ended.signal.reason : cause);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

function contentOf({ headers: more, body, tar }: EngineRequest): {
  headers: Record<string, string>;
  body: string | Buffer | null;
} {
  const headers = { ...more, host: 'engine' };
  if (tar) return { headers: { ...headers, 'content-type': 'application/x-tar' }, body: tar };
  if (body === undefined) return { headers, body: null };
  return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function pathOf({ path, query = {} }: EngineRequest): string {
  const bad = path.find((part) => part === '' || part === '.' || part === '..' || /\p{Cs}/u.test(part));
  if (bad !== undefined) throw new EngineError('malformed', `"${bad}" is no part of a path`);
  const search = new URLSearchParams(query).toString();
  return `/${path.map(encodeURIComponent).join('/')}${search && `?${search}`}`;
}

async function readText(body: Readable, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop destroys the body.
    if (bytes > limitBytes) throw new EngineError('too-large', `the answer is larger than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new EngineError('malformed', 'the answer is not JSON');
  }
}

/** What the engine says of a refusal, which is for the log of the worker alone. */
async function errorText(body: Readable): Promise<string> {
  const text = await readText(body, ERROR_LIMIT_BYTES).catch((error: unknown) => {
    if (error instanceof EngineError && error.reason === 'too-large') return 'a text that is too long';
    throw error;
  });
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === 'string' ? message : text;
  } catch {
    return text;
  }
}
