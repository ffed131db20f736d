/** What the dispatcher goes on doing while Redis takes connections and says nothing. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

let silent: Server;
const sockets: Socket[] = [];
let api: TestApi;

beforeAll(async () => {
  silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  api = await startTestApi({ PORIN_REDIS_URL: `redis://127.0.0.1:${port}` });
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  silent.close();
});

describe('a Redis that hangs', () => {
  it('keeps neither lost attempts from being settled nor the API from ending', async () => {
    const key = await api.makeKey({ role: 'admin' });
    const node = await api.worker.addNode({ slots: 3 });
    const submit = async () => {
      const body = { executors: [{ image: 'debian:bookworm', command: ['true'] }] };
      return ((await api.post(key, '/api/v1/jobs', body).expect(201)).body as { id: string }).id;
    };
    await submit();
    const lost = await submit();
    await api.worker.claim(lost, node, { leaseS: 0 });
    await eventually(async () => {
      const { body } = await api.get(key, `/api/v1/jobs/${lost}`).expect(200);
      expect(body).toMatchObject({ state: 'QUEUED', attempts: [{ state: 'LOST' }] });
    });
    await api.stop();
  });
});
