/**
 * The worker's end of the control channel: one socket, one connection, one payload.
 *
 * Node cannot read SO_PEERCRED, so the peer is known by the token alone. Nothing but porin-init can have it: it is random
 * per attempt, lies in the container's configuration and in the memory of porin-init, which no payload can read, and no
 * payload runs before porin-init has used it and the name is gone.
 */
import { within } from '#lib/jobs';
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type DenialList } from '../denial-list.js';
import { type ForeignProgram } from '../executor-run.js';
import { ControlChannelError } from './control-error.js';
import {
  type ControlMessage,
  type Failed,
  type Hello,
  parseControlMessage,
  PROTOCOL_VERSION,
  type Started,
} from './control-message.js';
import { type PayloadEnd, type PayloadHandlers, PayloadReport } from './payload-report.js';
import { readLines } from './read-lines.js';

/** sizeof(sockaddr_un.sun_path) less its NUL. */
const MAX_SOCKET_PATH = 107;

/** What may be between `go` and `failed`. */
export type FailedStart = Failed & { readonly foreignProgram?: ForeignProgram };

export class ControlSocket {
  readonly #server: Server;
  readonly #token: string;
  readonly #connection: Promise<Socket>;
  #socket: Socket | undefined;
  #lines: AsyncGenerator<string> | undefined;
  #closed = false;

  private constructor(
    server: Server,
    readonly path: string,
    token: string,
  ) {
    this.#server = server;
    this.#token = token;
    this.#connection = new Promise((resolve, reject) => {
      server.once('connection', (socket) => {
        this.#socket = socket;
        // Read errors reach the reader of the lines; a late one must not end the process.
        socket.on('error', () => undefined);
        resolve(socket);
        // Removes the name too: nobody can connect again.
        server.close();
      });
      server.once('error', (cause) =>
        reject(new ControlChannelError('cannot-listen', 'The control socket failed.', { cause })),
      );
      server.once('close', () => reject(new ControlChannelError('closed', 'The control socket was closed.')));
    });
    this.#connection.catch(() => undefined);
  }

  /**
   * Listens on a path whose directory is made, for this user only. Others, the container's user among them, reach the
   * socket only where its file is mounted.
   *
   * @throws ControlChannelError cannot-listen
   */
  static async listen(path: string, token: string): Promise<ControlSocket> {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
      throw new ControlChannelError(
        'cannot-listen',
        `The socket path ${path} is longer than ${MAX_SOCKET_PATH} bytes.`,
      );
    }
    const server = createServer();
    server.maxConnections = 1;
    try {
      await mkdir(dirname(path), { recursive: true });
      await chmod(dirname(path), 0o700);
      server.listen(path);
      await once(server, 'listening');
      await chmod(path, 0o666);
    } catch (cause) {
      server.close();
      throw new ControlChannelError('cannot-listen', `Cannot listen on the control socket ${path}.`, { cause });
    }
    return new ControlSocket(server, path, token);
  }

  /** All that porin-init has said so far. */
  get bytesReceived(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /**
   * Waits for porin-init to connect and to say who it is, and checks that it is the one that was started.
   *
   * @throws ControlChannelError connect-timeout, wrong-token, protocol-version, or any of the channel's own
   */
  async accept(timeoutMs: number): Promise<Hello> {
    const hello = await within(this.#hello(), timeoutMs, () => this.#lateHello(timeoutMs));
    if (hello.kind !== 'hello') throw this.#unexpected(hello, 'hello');
    if (!sameToken(hello.token, this.#token)) {
      throw this.#fail('wrong-token', 'A process that does not have the token connected to the control socket.');
    }
    if (hello.protocol !== PROTOCOL_VERSION) {
      throw this.#fail(
        'protocol-version',
        `porin-init speaks version ${hello.protocol} of the control channel, this worker ${PROTOCOL_VERSION}: build both from one source.`,
      );
    }
    return hello;
  }

  /** Sends the text of renderPolicy; resolves when porin-init has accepted all of it. */
  async sendPolicy(text: string): Promise<void> {
    this.#send(text);
    const message = await this.#next();
    if (message.kind !== 'ready') throw this.#unexpected(message, 'ready');
  }

  /** Opens the gate. `failed` means that the payload was not executed and porin-init has ended. */
  async go(): Promise<Started | FailedStart> {
    this.#send('go\n');
    const first = await this.#next();
    if (first.kind === 'started') return first;
    const foreignProgram = first.kind === 'foreign-program' ? first.program : undefined;
    const message = foreignProgram ? await this.#next() : first;
    if (message.kind === 'failed') return { ...message, ...(foreignProgram && { foreignProgram }) };
    throw this.#unexpected(message, 'started or failed');
  }

  /**
   * Follows the payload until it has ended and the container is empty but for porin-init, which ends when this resolves.
   * `denials` gets the first call of each shape when it happens, how often it has happened, and how many calls were dropped, at
   * most once a second, and by the end the exact counts.
   */
  async finished(denials: DenialList, handlers: PayloadHandlers = {}): Promise<PayloadEnd> {
    const report = new PayloadReport(denials, handlers);
    for (;;) {
      const message = await this.#next();
      const { complete } = report;
      if (message.kind === 'exited' && complete) {
        await handlers.onExited?.(message);
        this.#socket?.end();
        return { exited: message, ...complete };
      }
      if (!(await report.take(message))) throw this.#unexpected(message, "what comes next of a payload's report");
    }
  }

  /** Ends the payload with SIGKILL; `finished` still resolves, with its usage. */
  kill(): void {
    this.#send('kill\n');
  }

  /** Hangs up, whereupon porin-init ends everything in its container. Pending calls reject with code `closed`. */
  close(): void {
    this.#closed = true;
    this.#server.close();
    this.#socket?.destroy();
  }

  async #hello(): Promise<ControlMessage> {
    this.#lines = readLines(await this.#connection);
    return this.#next();
  }

  #lateHello(timeoutMs: number): ControlChannelError {
    const message = this.#socket
      ? `porin-init connected and did not say hello within ${timeoutMs} ms.`
      : `porin-init did not connect within ${timeoutMs} ms: its container may not have started.`;
    return this.#fail('connect-timeout', message);
  }

  #send(text: string): void {
    this.#socket?.write(text);
  }

  async #next(): Promise<ControlMessage> {
    if (!this.#lines) throw new ControlChannelError('closed', 'No porin-init is connected.');
    try {
      const line = await this.#lines.next();
      if (line.done !== true) return parseControlMessage(line.value);
    } catch (error) {
      if (error instanceof ControlChannelError) {
        this.close();
        throw error;
      }
      throw this.#hungUp(error);
    }
    throw this.#hungUp();
  }

  #hungUp(cause?: unknown): ControlChannelError {
    if (this.#closed) return new ControlChannelError('closed', 'The control socket was closed.', { cause });
    return this.#fail('hung-up', 'porin-init hung up before it reported the end of the payload.', cause);
  }

  #unexpected(message: ControlMessage, expected: string): ControlChannelError {
    const got = message.kind === 'failed' ? `failed at ${message.stage} with errno ${message.errno}` : message.kind;
    return this.#fail('unexpected-message', `porin-init said ${got} where ${expected} was due.`);
  }

  /** Every failure hangs up: what is not understood must not go on. */
  #fail(code: ControlChannelError['code'], message: string, cause?: unknown): ControlChannelError {
    this.close();
    return new ControlChannelError(code, message, { cause });
  }
}

function sameToken(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
