/** A way to a real service that tests and chaos can close and open again: what a client sees of it is a service that is away. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import {
  createServer,
  createConnection,
  type AddressInfo,
  type NetConnectOpts,
  type Server,
  type Socket,
} from 'node:net';

/** Port 0 until it has one of its own. */
type Place = { readonly path: string } | { readonly host: string; port: number };

export class Proxy {
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private target: NetConnectOpts,
    private place: Place,
  ) {}

  /** At a Unix socket's path, or at a port of its own, on loopback unless an address is given. */
  static async open(target: NetConnectOpts, path?: string, host = '127.0.0.1'): Promise<Proxy> {
    const proxy = new Proxy(target, path === undefined ? { host, port: 0 } : { path });
    await proxy.open();
    return proxy;
  }

  /** Of a proxy without a path; stays the same. */
  get port(): number {
    return 'port' in this.place ? this.place.port : 0;
  }

  /** Of the connections from now on. */
  retarget(target: NetConnectOpts): void {
    this.target = target;
  }

  async open(): Promise<void> {
    if ('path' in this.place) rmSync(this.place.path, { force: true });
    const server = createServer((client) => {
      const service = createConnection(this.target);
      for (const [from, to] of [
        [client, service],
        [service, client],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
    server.listen(this.place);
    await once(server, 'listening');
    if ('port' in this.place) this.place.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Every connection ends, and new ones are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }
}
