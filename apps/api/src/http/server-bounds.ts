/** How long and how many connections may be held, and what is answered below the level of Fastify. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { type Socket } from 'node:net';
import { PorinError, type RequestErrorCode } from '../errors/porin-error.js';
import { admitting, unfinishedAnswers } from './listener.js';
import { SECURITY_HEADERS } from './security-headers.js';
import { problemText } from './send-problem.js';

/** Until the headers of a request are there, from the first byte or, on a new connection, from its start. */
const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 1_000;
/** Who sends too slowly is first told so. */
const LATE_ANSWER_MS = 5_000;
const CONNECTIONS_MAXIMUM = 2_000;

/** `requestTimeoutMs`: until the last byte of a request's body, and how long a client may take in nothing. */
export function boundedServer(handle: RequestListener, requestTimeoutMs: number): Server {
  const server = createServer(admitting(handle));
  server.headersTimeout = Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs);
  server.requestTimeout = requestTimeoutMs;
  // Node looks for late requests this often; its default is 30 s.
  Object.assign(server, { connectionsCheckingInterval: CHECK_INTERVAL_MS });
  server.maxConnections = CONNECTIONS_MAXIMUM;
  // Node takes its own listener off a socket before it hands it over ("connect", "upgrade"); an error that nobody hears of
  // would end the process.
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined));
  server.setTimeout(requestTimeoutMs + LATE_ANSWER_MS, endIdle);
  // Without these Node itself would say "100 Continue" to everybody, and 417 without a word.
  const asUsual = (request: IncomingMessage, response: ServerResponse) =>
    void server.emit('request', request, response);
  server.on('checkContinue', asUsual).on('checkExpectation', asUsual);
  // Node would close these without a word, and those without a Host with an empty answer.
  server.on('connect', (_request, socket) => {
    answer(
      socket as Socket,
      new PorinError('method-not-allowed', 'This server is no proxy.', {
        headers: { Allow: 'GET, HEAD, POST, PATCH' },
      }),
    );
  });
  Object.assign(server, { requireHostHeader: false });
  return server;
}

/** Nothing came or went for the whole time. An answer that is still being made is waited for; one that is not taken is not. */
function endIdle(socket: Socket): void {
  if (unfinishedAnswers(socket) === 0 || socket.writableLength > 0) socket.destroy();
}

interface ClientError extends Error {
  readonly code?: string;
}

/** The request could not be read as HTTP, or did not come in time: no request object exists to answer. Fastify listens with it. */
export function answerClientError(error: ClientError, stream: unknown): void {
  const socket = stream as Socket & { _httpMessage?: { headersSent: boolean } | null };
  if (error.code === 'ECONNRESET' || !socket.writable || socket._httpMessage?.headersSent) {
    socket.destroy();
    return;
  }
  const { code, message } = WORDS[error.code ?? ''] ?? WORDS.other;
  answer(socket, new PorinError(code, message));
}

function answer(socket: Socket, problem: PorinError): void {
  const body = problemText(problem);
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}`,
      'Connection: close',
      ...Object.entries({ ...SECURITY_HEADERS, ...problem.headers }).map(([name, value]) => `${name}: ${value}`),
      'Content-Type: application/problem+json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
  // A client that goes on sending is cut off.
  setTimeout(() => socket.destroy(), 500).unref();
}

const WORDS: Readonly<Record<string, { code: RequestErrorCode; message: string }>> & {
  readonly other: { code: RequestErrorCode; message: string };
} = {
  HPE_HEADER_OVERFLOW: {
    code: 'headers-too-large',
    message: 'The URL and the headers together are longer than 16 KiB.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { code: 'body-too-large', message: 'The chunk extensions are too long.' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'request-timeout', message: 'The request did not come in time.' },
  other: { code: 'malformed-request', message: 'The request is no HTTP that this server can read.' },
};
