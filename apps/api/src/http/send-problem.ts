/** Sends RFC 9457 problem details, also to a client that is still sending. */
import { type Request, type Response } from 'express';
import { type PorinError } from '../errors/porin-error.js';
import { announcesBody } from './read-body.js';

/** How much of a body that nobody wants is taken in while the answer is under way. */
const LINGER_BYTES = 1024 ** 2;
const LINGER_MS = 500;

export function problemText(problem: PorinError): string {
  return JSON.stringify({
    type: `urn:porin:problem:${problem.code}`,
    title: problem.code.replaceAll('-', ' '),
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    ...(problem.problems ? { problems: problem.problems } : {}),
  });
}

/**
 * The answer to a request whose body is not read ends the connection. Closing at once would reset it, and a client that is
 * still writing would never see the answer: so a bounded rest is taken in first.
 */
export function sendProblem(request: Request, response: Response, problem: PorinError): void {
  const body = Buffer.from(problemText(problem));
  response.status(problem.status).set(problem.headers).set('Content-Type', 'application/problem+json');
  response.set('Content-Length', String(body.length));
  if (request.complete || !announcesBody(request)) return void response.end(body);
  response.set('Connection', 'close');
  response.write(body);
  takeIn(request, () => response.end());
}

function takeIn(request: Request, done: () => void): void {
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
