/** HTTP requests of one transfer, over connections that go only to addresses that were checked. */
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { classifyAddress } from './address.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules } from '../rules.js';
import { HeldBack, NEVER_PAUSED } from './held-back.js';
import { LeastRate } from './least-rate.js';

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  constructor(readonly address: string) {
    super(`the address ${address} is not of the public internet`);
  }
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** With authorization, where there is one: the URL's own user and password are never sent. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: HttpBody;
}

export interface HttpAnswer {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Dispatcher.ResponseData['headers'];
  /** Once. Its errors come from here alone. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Instead of reading it; the connection ends. */
  readonly discard: () => void;
}

export interface HttpBody {
  readonly content: Readable | Uint8Array;
  readonly bytes: number;
}

/** One request after another, each answer read or discarded before the next. Follows no redirects, decodes nothing, keeps no cookies, uses no proxy. */
export class HttpClient {
  private readonly agent: Agent;
  /** A reason of the caller's may be anything, and undici destroys streams with it: they need an Error. */
  private readonly aborted = new AbortController();
  private readonly abort = () => this.aborted.abort();
  private readonly rate: LeastRate;
  private readonly heldBack = new HeldBack();

  constructor(
    rules: Pick<StagingRules, 'allowPrivateAddresses' | 'httpTimeouts' | 'authorities'>,
    private readonly signal: AbortSignal,
    resolve: ResolveName = resolveName,
  ) {
    const timeouts = rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS;
    const isRefused = rules.allowPrivateAddresses
      ? () => false
      : (address: string) => classifyAddress(address) !== 'global';
    const connect = buildConnector({
      timeout: timeouts.connectMs,
      lookup: checkedLookup(isRefused, resolve),
      // Said aloud, NODE_TLS_REJECT_UNAUTHORIZED cannot undo it.
      rejectUnauthorized: true,
      ...(rules.authorities !== undefined && { ca: [...rootCertificates, rules.authorities] }),
    });
    this.agent = new Agent({
      // node:net asks its lookup function for names only, so literal addresses are checked here.
      connect: (options, callback) => {
        const host = options.hostname.replace(/^\[|\]$/g, '');
        if (isIP(host) !== 0 && isRefused(host)) callback(new AddressRefused(host), null);
        else
          connect(options, (...[error, socket]) => {
            if (error !== null) return callback(error, null);
            this.heldBack.watch(socket);
            callback(null, socket);
          });
      },
      headersTimeout: timeouts.answerMs,
      bodyTimeout: timeouts.stallMs,
    });
    this.rate = new LeastRate(timeouts, (failure) => this.aborted.abort(failure));
    if (signal.aborted) this.abort();
    else signal.addEventListener('abort', this.abort);
  }

  /**
   * Rejects with AddressRefused, with undici's and node's errors, with an AbortError when aborted, and with HttpFailure where all
   * that this client does takes too long for what it has moved. The last two may come of the body too.
   */
  async request({ url, method, headers, body }: HttpRequest): Promise<HttpAnswer> {
    const {
      statusCode,
      headers: answered,
      body: stream,
    } = await request(withoutUser(url), {
      dispatcher: this.agent,
      method,
      headers: {
        'user-agent': 'porin',
        'accept-encoding': 'identity',
        ...(body && { 'content-type': 'application/octet-stream', 'content-length': String(body.bytes) }),
        ...headers,
      },
      body: body?.content ?? null,
      signal: this.aborted.signal,
      highWaterMark: NEVER_PAUSED,
    });
    this.heldBack.follow(stream);
    // Whoever reads the body sees its errors; a body that nobody reads must not end the process by one.
    stream.on('error', () => undefined);
    return { statusCode, headers: answered, body: this.#taken(stream), discard: () => void stream.destroy() };
  }

  async *#taken(stream: Readable): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      this.rate.moved(chunk.length);
      this.heldBack.goOn();
      yield chunk;
    }
  }

  /** Bytes of a request's body. */
  moved(bytes: number): void {
    this.rate.moved(bytes);
  }

  /** Ends what is still under way. */
  close(): Promise<void> {
    this.rate.end();
    this.signal.removeEventListener('abort', this.abort);
    return this.agent.destroy();
  }
}

export type ResolveName = typeof resolveName;

/**
 * A `lookup` for node:net that fails when any address of the name is refused, and hands over exactly the addresses that
 * were checked: a second answer of the name server is never asked for (DNS rebinding).
 */
export function checkedLookup(isRefused: (address: string) => boolean, resolve: ResolveName): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { family: options.family ?? 0, hints: options.hints ?? 0, all: true }, (error, addresses) => {
      const refused = error === null ? addresses.find(({ address }) => isRefused(address)) : undefined;
      const [first] = error === null ? addresses : [];
      if (error !== null) callback(error, []);
      else if (refused !== undefined) callback(new AddressRefused(refused.address), []);
      else if (options.all || first === undefined) callback(null, addresses satisfies LookupAddress[]);
      else callback(null, first.address, first.family);
    });
  };
}

/** Basic authentication (RFC 7617) from a URL's user and password; null when it has neither. */
export function authorizationOf(url: URL): string | null {
  if (url.username === '' && url.password === '') return null;
  return `Basic ${Buffer.from(`${decode(url.username)}:${decode(url.password)}`).toString('base64')}`;
}

/** Not put together again from its parts: a path that begins with two slashes would be taken for a host. */
function withoutUser(url: URL): URL {
  const plain = new URL(url);
  plain.username = plain.password = plain.hash = '';
  return plain;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
