/** HTTP requests of one transfer, over connections that go only to addresses that were checked. */
import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { type Readable } from 'node:stream';
import { Agent, buildConnector, type Dispatcher, request } from 'undici';
import { classifyAddress } from './address.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules } from '../rules.js';
import { LeastRate } from './least-rate.js';

export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  constructor(readonly address: string) {
    super(`the address ${address} is not of the public internet`);
  }
}

export interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'PUT';
  /** Of a credential. The URL's own user and password are never sent by themselves. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: { readonly stream: Readable; readonly bytes: number };
}

/** Follows no redirects, decodes nothing, keeps no cookies, uses no proxy. */
export class HttpClient {
  private readonly agent: Agent;
  /** A reason of the caller's may be anything, and undici destroys streams with it: they need an Error. */
  private readonly aborted = new AbortController();
  private readonly abort = () => this.aborted.abort();
  private readonly rate: LeastRate;

  constructor(
    rules: Pick<StagingRules, 'allowPrivateAddresses' | 'httpTimeouts'>,
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
    });
    this.agent = new Agent({
      // node:net asks its lookup function for names only, so literal addresses are checked here.
      connect: (options, callback) => {
        const host = options.hostname.replace(/^\[|\]$/g, '');
        if (isIP(host) !== 0 && isRefused(host)) callback(new AddressRefused(host), null);
        else connect(options, callback);
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
  async request({ url, method, headers, body }: HttpRequest): Promise<Dispatcher.ResponseData> {
    const response = await request(withoutUser(url), {
      dispatcher: this.agent,
      method,
      headers: {
        ...headers,
        'user-agent': 'porin',
        ...(method === 'GET' ? { 'accept-encoding': 'identity' } : { 'content-type': 'application/octet-stream' }),
        ...(body === undefined ? {} : { 'content-length': String(body.bytes) }),
      },
      body: body?.stream ?? null,
      signal: this.aborted.signal,
    });
    // Whoever reads the body sees its errors; a body that nobody reads must not end the process by one.
    response.body.on('error', () => undefined);
    return response;
  }

  /** Bytes of a body, of whichever side. */
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
