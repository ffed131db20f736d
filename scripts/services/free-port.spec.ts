import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from './free-port.js';

describe('a free port', () => {
  it('is not one that somebody listens on, even if preferred', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await freePort(port)).not.toBe(port);
    server.close();
  });

  it('is the preferred one where that is free', async () => {
    const port = await freePort();
    expect(await freePort(undefined, port)).toBe(port);
  });
});
