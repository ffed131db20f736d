/** The public REST API as one key sees it. */
import { type z } from 'zod';
import { problemSchema } from './answers.js';

const TIMEOUT_MS = 60_000;

/** The API refused a request; the message is its own. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class ApiClient {
  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly signal: AbortSignal,
  ) {}

  /** The same key, for what must still be said after an interruption. */
  withSignal(signal: AbortSignal): ApiClient {
    return new ApiClient(this.url, this.key, signal);
  }

  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await (await this.#request('GET', path)).json());
  }

  async getText(path: string): Promise<string> {
    return (await this.#request('GET', path)).text();
  }

  async post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await (await this.#request('POST', path, body)).json());
  }

  async put<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(await (await this.#request('PUT', path, body)).json());
  }

  async #request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([this.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.ok) return response;
    const text = await response.text();
    const problem = problemSchema.safeParse(parsedJson(text));
    const words = problem.success
      ? (problem.data.detail ?? problem.data.title ?? problem.data.code)
      : text.slice(0, 500);
    throw new ApiError(
      response.status,
      problem.success ? problem.data.code : '',
      `${method} ${path} was answered with ${response.status}: ${words}`,
    );
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
