/** The real container engine, on a socket of its own, which a test can close, or make refuse some requests. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createConnection, type Socket } from 'node:net';

export class LimitedEngine {
  #server: Server | undefined;
  #refused: { readonly path: RegExp; readonly status: number } | undefined;

  private constructor(
    private readonly target: string,
    private readonly socketPath: string,
  ) {}

  /** Both are paths of Unix sockets. */
  static async open(target: string, socketPath: string): Promise<LimitedEngine> {
    const engine = new LimitedEngine(target, socketPath);
    await engine.open();
    return engine;
  }

  /** Requests of these paths, with their queries, are answered by this status; undefined: none. */
  refuse(path: RegExp | undefined, status = 500): void {
    this.#refused = path && { path, status };
  }

  async open(): Promise<void> {
    rmSync(this.socketPath, { force: true });
    const server = createServer((incoming, response) => this.#forward(incoming, response));
    // Streams of containers, to which the engine changes the protocol.
    server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      const service = createConnection(this.target);
      service.write(headOf(incoming));
      service.write(head);
      service.pipe(socket);
      socket.pipe(service);
      for (const [one, other] of [
        [service, socket],
        [socket, service],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    server.listen(this.socketPath);
    await once(server, 'listening');
    this.#server = server;
  }

  /** Every connection ends, and new ones are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  #forward(incoming: IncomingMessage, response: ServerResponse): void {
    const { method, url = '', headers } = incoming;
    if (this.#refused?.path.test(url)) {
      response.writeHead(this.#refused.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: 'no such thing here' }));
      return;
    }
    const forwarded = request({ socketPath: this.target, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  }
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((text, index) => (index % 2 === 0 ? [`${text}: ${rawHeaders[index + 1]}`] : []));
  return [`${method} ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}
