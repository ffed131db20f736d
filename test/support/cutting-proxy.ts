/** A TCP proxy on loopback that cuts or holds connections where, or when, the test says, and counts them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** After so many bytes of either direction the connection is reset; null: never. `connection` counts from 1. */
export type Cut = (connection: number) => { readonly sent: number } | { readonly received: number } | null;

export class CuttingProxy {
  connections = 0;
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #heldFrom = Infinity;
  #held: (() => void)[] = [];

  private constructor(port: number, cut: Cut) {
    this.#server = createServer((client) => {
      this.#sockets.add(client.on('error', () => undefined));
      this.connections += 1;
      const at = cut(this.connections);
      if (this.connections >= this.#heldFrom) this.#held.push(() => join(client, at));
      else join(client, at);
    });
    const join = (client: Socket, at: ReturnType<Cut>) => {
      const server = connect(port, '127.0.0.1');
      this.#sockets.add(server.on('error', () => undefined));
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
    };
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

  /** From the next connection but so many, they carry nothing until `release`. */
  holdAfter(passed: number): void {
    this.#heldFrom = this.connections + passed + 1;
  }

  /** Connections that are held now. */
  get held(): number {
    return this.#held.length;
  }

  release(): void {
    this.#heldFrom = Infinity;
    for (const join of this.#held.splice(0)) join();
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
