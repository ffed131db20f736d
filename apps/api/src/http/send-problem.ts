/** Sends RFC 9457 problem details, also to a client that is still sending. */
import { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type PorinError } from '../errors/porin-error.js';
import { asTesError, isTesPath } from '../ga4gh/tes-errors.js';
import { announcesBody } from './read-body.js';

/** How much of a body that nobody wants is taken in while the answer is under way. */
const LINGER_BYTES = 1024 ** 2;
const LINGER_MS = 500;

/** `more`: members beyond those of RFC 9457. */
export function problemText(problem: PorinError, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    type: `urn:porin:problem:${problem.code}`,
    title: problem.code.replaceAll('-', ' '),
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(problem.problems ? { problems: problem.problems } : {}),
    ...more,
  });
}

const NOTHING_MORE = { members: {}, headers: {} };

/**
 * The answer to a request whose body is not read ends the connection. Closing at once would reset it, and a client that is
 * still writing would never see the answer: so a bounded rest is taken in first.
 */
export function sendProblem(
  { raw: request, originalUrl }: FastifyRequest,
  reply: FastifyReply,
  problem: PorinError,
): void {
  const { members, headers: tesHeaders } = isTesPath(originalUrl) ? asTesError(problem) : NOTHING_MORE;
  const body = Buffer.from(problemText(problem, members));
  reply.status(problem.status).headers(problem.headers).headers(tesHeaders);
  reply.header('Content-Type', 'application/problem+json');
  if (request.complete || !announcesBody(request)) return void reply.send(body);
  reply.hijack();
  const headers = { ...reply.getHeaders(), 'content-length': body.length, connection: 'close' } as OutgoingHttpHeaders;
  reply.raw.writeHead(problem.status, headers).write(body);
  takeIn(request, () => reply.raw.end());
}

function takeIn(request: IncomingMessage, done: () => void): void {
  let bytes = 0;
  const finish = () => {
    clearTimeout(timer);
    request.off('data', count).off('end', finish).off('close', finish).pause();
    done();
  };
  const count = (part: Buffer) => {
    bytes += part.length;
    if (bytes > LINGER_BYTES) finish();
  };
  const timer = setTimeout(finish, LINGER_MS);
  request.on('data', count).on('end', finish).on('close', finish).resume();
}
