/** Lets pages of the listed origins ask the API; what a browser asks beforehand is answered before anybody is known. */
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { announcesBody } from './read-body.js';

const ALLOWED = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type, Idempotency-Key',
  /** Seconds; browsers keep it for two hours at most. */
  'Access-Control-Max-Age': '7200',
} as const;
/** Beyond what pages may read of any answer. */
const EXPOSED =
  'Location, Retry-After, RateLimit, RateLimit-Policy, Porin-Log-Next-Offset, Porin-Log-Complete, Porin-Log-Dropped-Bytes, Porin-Log-Attempt, Porin-Trace-Complete, Porin-Trace-Truncated, Porin-Trace-Attempt';

type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/** Keys are sent by the page itself, never by the browser, so credentials are not allowed. */
export function corsHook(origins: readonly string[]): Hook {
  return (request, reply, done) => {
    const { origin = '' } = request.headers;
    reply.header('Vary', 'Origin');
    if (!origins.includes(origin)) return done();
    reply.headers({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED });
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done();
    // Nobody reads a body.
    if (announcesBody(request)) reply.header('Connection', 'close');
    void reply.status(204).headers(ALLOWED).send();
  };
}
