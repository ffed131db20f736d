/** What every request passes before Express sees it: few unfinished answers a connection, and a target that Express can read. */
import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/**
 * Answers of one connection that have not been sent yet. Node reads all requests of a packet at once, so that one packet
 * would otherwise make hundreds of answers wait in memory.
 */
export const UNFINISHED_ANSWERS_MAXIMUM = 16;

const unfinished = new WeakMap<Socket, number>();
const unreadable = new WeakSet<IncomingMessage>();

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Before the server listens, and after its framework has put its handler there. */
export function handleBeforeExpress(server: Server): void {
  const handlers = server.listeners('request') as Handle[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!admit(request.socket, response)) return;
    readTarget(request);
    for (const handle of handlers) handle(request, response);
  });
}

export function unfinishedAnswers(socket: Socket): number {
  return unfinished.get(socket) ?? 0;
}

/** Whether the target of the request was no path and no http URL: Express has seen another one in its place. */
export function hasUnreadableTarget(request: IncomingMessage): boolean {
  return unreadable.has(request);
}

/** Ends a connection with too many requests ahead of their answers: those that Node has read already reach nobody. */
function admit(socket: Socket, response: ServerResponse): boolean {
  if (socket.destroyed) return false;
  const count = unfinishedAnswers(socket) + 1;
  if (count > UNFINISHED_ANSWERS_MAXIMUM) {
    socket.destroy();
    return false;
  }
  unfinished.set(socket, count);
  response.once('close', () => unfinished.set(socket, unfinishedAnswers(socket) - 1));
  return true;
}

/** The two forms of RFC 9112, section 3.2, that a server of resources gets. */
function readTarget(request: IncomingMessage): void {
  const path = originForm(request.url ?? '');
  if (path === undefined) unreadable.add(request);
  request.url = path ?? '/';
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
