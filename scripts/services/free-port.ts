/** Finds a TCP port on loopback that nothing listens on. */
import { type AddressInfo, createServer } from 'node:net';

/** The first of `preferred` that is free, or any free one. */
export async function freePort(...preferred: (number | undefined)[]): Promise<number> {
  for (const port of preferred) {
    if (port !== undefined && (await listenBriefly(port).catch(() => 0)) === port) return port;
  }
  return listenBriefly(0);
}

async function listenBriefly(wanted: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
