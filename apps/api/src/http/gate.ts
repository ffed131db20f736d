/**
 * The first thing that every request meets. In this order, and before a byte of its body is read: the path and whether it is
 * open, the address and the key, the rate, the method, and what the headers say of the body. Then the body.
 */
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Authenticator } from '../auth/authenticate.js';
import { type AuthenticatedRequest } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { type BodyMemory, UNUSED_BODY_LIMIT_BYTES } from './body-memory.js';
import { clientNetwork } from './client-address.js';
import { hasUnreadableTarget, isDecodable } from './listener.js';
import { type RateLimits } from './rate-limits.js';
import { announcesBody, judgeDeclaredBody, judgeMediaType, parseBody, readBytes } from './read-body.js';
import { type FoundRoute, type RouteTable } from './route-table.js';
import { DOCS_PATH } from './security-headers.js';

/** What is served beside the controllers, to everybody. */
const OPEN_FILES = new RegExp(`^/(openapi\\.json|${DOCS_PATH}(/([A-Za-z0-9_-][A-Za-z0-9._-]*)?)?)$`);

export interface GateOptions {
  readonly routes: RouteTable;
  readonly authenticator: Authenticator;
  readonly limits: RateLimits;
  readonly bodies: BodyMemory;
  readonly bodyLimitBytes: number;
}

/** Nothing is open but what says so: also an unknown path asks for a key. */
export class Gate {
  constructor(private readonly options: GateOptions) {}

  readonly hook = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { routes, authenticator, limits, bodies, bodyLimitBytes } = this.options;
    judgeHeaders(request);
    const path = pathOf(request);
    const isFile = OPEN_FILES.test(path);
    const found = isFile ? openFile(request.method, path) : routes.find(request.method, path);
    if (isOpen(found)) {
      if (isFile) limits.takeOpenFile(clientNetwork(request));
      // Nobody reads it, and the connection cannot be used again before it is read.
      if (announcesBody(request)) reply.header('Connection', 'close');
      requireRoute(found, request);
      return;
    }
    const mayBeKept = found.kind === 'route' && found.route.mayKeepCaller;
    const { authorization } = request.headers;
    requireOwnPage(request);
    const caller = await authenticator.authenticate(authorization, clientNetwork(request), mayBeKept);
    const { headers, refusal } = limits.take(caller);
    reply.headers(headers);
    if (refusal) throw refusal;
    const { takesBody } = requireRoute(found, request);
    requireReadableUrl(request.originalUrl);
    const limitBytes = takesBody ? bodyLimitBytes : UNUSED_BODY_LIMIT_BYTES;
    judgeDeclaredBody(request, limitBytes);
    if (takesBody) judgeMediaType(request);
    (request as AuthenticatedRequest).caller = caller;
    await authenticator.noteUse(caller);
    if (announcesBody(request)) {
      const share = bodies.open(caller.keyId);
      reply.raw.once('close', () => share.release());
      const bytes = await readBytes(request.raw, reply.raw, { limitBytes, share });
      if (takesBody) request.body = parseBody(bytes);
    }
    // It is read: Fastify has nothing to look for. (Not by `delete`, which makes all headers slow.)
    for (const name of BODY_HEADERS) if (request.headers[name] !== undefined) request.headers[name] = undefined;
  };
}

const BODY_HEADERS = ['content-type', 'content-length', 'transfer-encoding'] as const;

function pathOf({ originalUrl }: FastifyRequest): string {
  const end = originalUrl.indexOf('?');
  return end === -1 ? originalUrl : originalUrl.slice(0, end);
}

/** Throws malformed-request for a target that is no path, and where HTTP 1.1 has no Host (RFC 9112, section 3.2). */
function judgeHeaders({ raw }: FastifyRequest): void {
  const { headers, httpVersion } = raw;
  if (hasUnreadableTarget(raw)) {
    throw new PorinError('malformed-request', 'The target of the request is no path and no http URL.');
  }
  // No answer of ours may be kept, so none is "304 Not Modified".
  delete headers['if-none-match'];
  delete headers['if-modified-since'];
  if (httpVersion === '1.1' && headers.host === undefined) {
    throw new PorinError('malformed-request', 'A request of HTTP 1.1 has a Host header.');
  }
}

/** Of a page of another origin, as browsers say it. */
const FOREIGN_SITES: readonly unknown[] = ['cross-site', 'same-site'];

/**
 * Throws cross-site-request for a key by Basic that a browser may have added of itself: it keeps what it was once given, and sends it
 * with the forms of any page. Where it says nothing of the page, which it does without TLS, it names the origin of a form at least.
 */
function requireOwnPage({ headers }: FastifyRequest): void {
  const { authorization = '', origin, 'sec-fetch-site': site } = headers;
  if (!/^Basic /i.test(authorization)) return;
  if (site === undefined ? origin === undefined : !FOREIGN_SITES.includes(site)) return;
  throw new PorinError(
    'cross-site-request',
    'A browser sends this for a page, and a key by Basic may not be the page’s own: send "Authorization: Bearer porin_...".',
  );
}

function openFile(method: string, path: string): FoundRoute {
  const allow = ['GET', 'HEAD'];
  return allow.includes(method)
    ? { kind: 'route', route: { method, path, open: true, takesBody: false, mayKeepCaller: false } }
    : { kind: 'other-method', allow, open: true };
}

function isOpen(found: FoundRoute): boolean {
  return found.kind === 'route' ? found.route.open : found.kind === 'other-method' && found.open;
}

/** Throws not-found and method-not-allowed. */
function requireRoute(found: FoundRoute, request: FastifyRequest): { readonly takesBody: boolean } {
  if (found.kind === 'route') return found.route;
  const path = pathOf(request);
  if (found.kind === 'none') throw new PorinError('not-found', `There is no route ${shown(path)}.`);
  const headers = { Allow: found.allow.join(', ') };
  throw new PorinError('method-not-allowed', `${request.method} is not for ${shown(path)}: use ${headers.Allow}.`, {
    headers,
  });
}

/** Throws invalid-request for percent-encoded bytes that are no text. */
function requireReadableUrl(url: string): void {
  if (isDecodable(url)) return;
  throw new PorinError('invalid-request', 'The request has 1 problem(s).', {
    problems: ['the URL: its percent-encoding is not that of UTF-8 text'],
  });
}

function shown(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}...` : path;
}
