/** A real HTTP server on loopback whose answers are the test's, and that remembers what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class HttpServer {
  readonly requests: IncomingMessage[] = [];
  connections = 0;
  /** Answers whose last byte the system has taken. */
  responsesSent = 0;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(answers: Readonly<Record<string, Answer>>) {
    this.server = createServer((request, response) => {
      this.requests.push(request);
      response.on('finish', () => (this.responsesSent += 1));
      const answer = answers[(request.url ?? '').replace(/\?.*$/s, '')];
      if (answer === undefined) response.writeHead(404).end();
      else answer(request, response);
    });
    this.server.on('connection', (socket) => {
      this.connections += 1;
      this.sockets.add(socket.on('error', () => undefined));
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(answers: Readonly<Record<string, Answer>>, host = '127.0.0.1'): Promise<HttpServer> {
    const started = new HttpServer(answers);
    await new Promise<void>((resolve) => started.server.listen(0, host, resolve));
    return started;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(path: string, host = '127.0.0.1'): string {
    return `http://${host}:${this.port}${path}`;
  }

  get openConnections(): number {
    return this.sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
