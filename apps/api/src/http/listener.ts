/** What every request passes before Fastify sees it: few unfinished answers a connection, and a target that its router can read. */
import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/**
 * Answers of one connection that have not been sent yet. Node reads all requests of a packet at once, so that one packet
 * would otherwise make hundreds of answers wait in memory.
 */
export const UNFINISHED_ANSWERS_MAXIMUM = 16;

const unfinished = new WeakMap<Socket, Set<ServerResponse>>();
const unreadable = new WeakSet<IncomingMessage>();

/** What a server listens with, around the framework's own handler. */
export function admitting(handle: RequestListener): RequestListener {
  return (request, response) => {
    if (!admit(request.socket, response)) return;
    readTarget(request);
    handle(request, response);
  };
}

export function unfinishedAnswers(socket: Socket): number {
  return unfinished.get(socket)?.size ?? 0;
}

/** Whether the target of the request was no path and no http URL. */
export function hasUnreadableTarget(request: IncomingMessage): boolean {
  return unreadable.has(request);
}

/** Ends a connection with too many requests ahead of their answers: those that Node has read already reach nobody. */
function admit(socket: Socket, response: ServerResponse): boolean {
  if (socket.destroyed) return false;
  const answers = unfinished.get(socket) ?? watched(socket);
  if (answers.size === UNFINISHED_ANSWERS_MAXIMUM) {
    socket.destroy();
    return false;
  }
  answers.add(response);
  response.once('close', () => answers.delete(response));
  return true;
}

/** Node closes the answer that is being sent when its connection goes, and not those that wait behind it: what they hold would be held for ever. */
function watched(socket: Socket): Set<ServerResponse> {
  const answers = new Set<ServerResponse>();
  unfinished.set(socket, answers);
  const closeRest = () => {
    for (const response of [...answers]) response.emit('close');
  };
  socket.once('close', () => process.nextTick(closeRest));
  return answers;
}

/** As the client gave it, in origin form; Fastify's `originalUrl`. */
type Targeted = IncomingMessage & { originalUrl?: string };

/**
 * The two forms of RFC 9112, section 3.2, that a server of resources gets. The router would answer some targets by itself,
 * before any hook: it sees "/" in their place, and the gate refuses them.
 */
function readTarget(request: Targeted): void {
  const path = originForm(request.url ?? '');
  if (path === undefined) unreadable.add(request);
  request.originalUrl = path ?? '/';
  request.url = isDecodable(request.originalUrl) ? request.originalUrl : '/';
}

/** Whether its percent-encoding is that of UTF-8 text: parsers would put other characters in the place of other bytes. */
export function isDecodable(target: string): boolean {
  try {
    decodeURIComponent(target);
    return true;
  } catch {
    return false;
  }
}

/** @example originForm('http://grid:8080/health/live') === '/health/live' */
export function originForm(target: string): string | undefined {
  if (!/^[!-~]+$/.test(target) || target.includes('#')) return undefined;
  if (target.startsWith('/')) return target;
  const authority = /^https?:\/\/[^/?]+/i.exec(target)?.[0];
  if (authority === undefined || !URL.canParse(authority)) return undefined;
  const rest = target.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
