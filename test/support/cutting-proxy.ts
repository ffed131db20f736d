/** A TCP proxy on loopback that cuts connections where, or when, the test says, and counts them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** After so many bytes of either direction the connection is reset; null: never. `connection` counts from 1. */
export type Cut = (connection: number) => { readonly sent: number } | { readonly received: number } | null;

export class CuttingProxy {
  connections = 0;
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, cut: Cut) {
    this.#server = createServer((client) => {
      this.connections += 1;
      const at = cut(this.connections);
      const server = connect(port, '127.0.0.1');
      for (const socket of [client, server]) this.#sockets.add(socket.on('error', () => undefined));
      const end = () => {
        for (const socket of [client, server]) {
          socket.destroy();
          this.#sockets.delete(socket);
        }
      };
      const pass = (from: Socket, to: Socket, limit: number) => {
        let bytes = 0;
        from.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes < limit) {
            if (to.write(chunk)) return;
            from.pause();
            to.once('drain', () => from.resume());
            return;
          }
          this.cuts += 1;
          to.write(chunk.subarray(0, chunk.length - (bytes - limit)), () => {
            client.resetAndDestroy();
            end();
          });
          from.pause();
        });
        from.on('end', () => to.end()).on('close', end);
      };
      pass(client, server, at !== null && 'sent' in at ? at.sent : Infinity);
      pass(server, client, at !== null && 'received' in at ? at.received : Infinity);
    });
  }

  static async start(port: number, cut: Cut = () => null): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port, cut);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Both sides of every connection that is open now, with a reset. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
