/** How often may be asked: per key, per tenant, and per address for wrong keys alone. */
import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';

const WRONG = `porin_${'a'.repeat(43)}`;
const as = (key: string, forwardedFor?: string) => ({
  Authorization: `Bearer ${key}`,
  ...(forwardedFor === undefined ? {} : { 'X-Forwarded-For': forwardedFor }),
});

let api: TestApi;
afterEach(() => api.stop());

const http = () => supertest(api.app.getHttpServer());
const status = async (headers: Record<string, string>) =>
  (await http().get('/api/v1/tenants/self').set(headers)).status;
async function statuses(count: number, headers: (index: number) => Record<string, string>): Promise<number[]> {
  const seen: number[] = [];
  for (let index = 0; index < count; index++) seen.push(await status(headers(index)));
  return seen;
}

describe('a key', () => {
  it('is told what is left, refused when nothing is, and served again', async () => {
    api = await startTestApi({ PORIN_RATE_LIMIT_PER_MINUTE: '30', PORIN_TENANT_RATE_LIMIT_PER_MINUTE: '500' });
    const [key, other] = [await api.makeKey({ role: 'submitter' }), await api.makeKey({ role: 'submitter' })];
    const { headers } = await api.get(key, '/api/v1/tenants/self').expect(200);
    expect(headers['ratelimit-policy']).toBe('"key";q=30;w=60, "tenant";q=500;w=60');
    expect(headers.ratelimit).toMatch(/^"key";r=29;t=2, "tenant";r=499;t=1$/);
    await statuses(29, () => as(key));
    // Whatever is asked for: the route has no part in it.
    const refused = await api.post(key, '/api/v1/jobs').expect(429);
    expect(refused.body).toMatchObject({ code: 'too-many-requests', status: 429 });
    expect(refused.headers.ratelimit).toContain('"key";r=0');
    const retryAfterS = Number(refused.headers['retry-after']);
    expect(retryAfterS).toBeGreaterThan(0);
    expect(retryAfterS).toBeLessThanOrEqual(2);
    await api.get(other, '/api/v1/tenants/self').expect(200);
    await new Promise((resolve) => setTimeout(resolve, retryAfterS * 1000));
    await api.get(key, '/api/v1/tenants/self').expect(200);
  });

  it('shares the limit of its tenant with the others, and not with other tenants', async () => {
    api = await startTestApi({ PORIN_RATE_LIMIT_PER_MINUTE: '100', PORIN_TENANT_RATE_LIMIT_PER_MINUTE: '6' });
    const [one, two] = [await api.makeKey({ role: 'admin' }), await api.makeKey({ role: 'admin' })];
    const stranger = await api.makeKey({ role: 'admin', tenant: randomUUID() });
    expect(await statuses(7, (index) => as(index % 2 ? one : two))).toEqual([...Array<number>(6).fill(200), 429]);
    expect(await status(as(stranger))).toBe(200);
  });
});

describe('an address', () => {
  const settings = { PORIN_WRONG_KEY_LIMIT_PER_MINUTE: '5', PORIN_RATE_LIMIT_PER_MINUTE: '1000' };

  it('has few wrong keys looked up; keys that were right before work on', async () => {
    api = await startTestApi(settings);
    const [known, fresh] = [await api.makeKey({ role: 'submitter' }), await api.makeKey({ role: 'submitter' })];
    expect(await status(as(known))).toBe(200);
    expect(await statuses(6, () => as(WRONG))).toEqual([...Array<number>(5).fill(401), 429]);
    const refused = await http().get('/api/v1/tenants/self').set(as(WRONG)).expect(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.body.code).toBe('too-many-requests');
    expect(await statuses(20, () => as(known))).toEqual(Array<number>(20).fill(200));
    expect(await status(as(fresh))).toBe(429);
  });

  it('is that of the connection: what X-Forwarded-For says is believed of nobody', async () => {
    api = await startTestApi(settings);
    expect(await statuses(6, (index) => as(WRONG, `192.0.2.${index}`))).toEqual([...Array<number>(5).fill(401), 429]);
  });

  it('is that before the configured proxies', async () => {
    api = await startTestApi({ ...settings, PORIN_TRUSTED_PROXIES: '127.0.0.0/8,::1,::ffff:127.0.0.1,198.51.100.7' });
    expect(await statuses(20, (index) => as(WRONG, `192.0.2.${index}`))).toEqual(Array<number>(20).fill(401));
    // The client's own part of the header is to the left of what the proxies added.
    const claimed = (index: number) => as(WRONG, `10.0.0.${index}, 203.0.113.5, 198.51.100.7`);
    expect(await statuses(6, claimed)).toEqual([...Array<number>(5).fill(401), 429]);
    expect(await status(as(WRONG, '203.0.113.6'))).toBe(401);
  });
});

describe('what is open', () => {
  const settings = {
    PORIN_RATE_LIMIT_PER_MINUTE: '1',
    PORIN_TENANT_RATE_LIMIT_PER_MINUTE: '1',
    PORIN_WRONG_KEY_LIMIT_PER_MINUTE: '1',
    PORIN_OPEN_FILES_LIMIT_PER_MINUTE: '3',
  };

  it('needs no key, and health has no limit', async () => {
    api = await startTestApi(settings);
    expect(await statuses(3, () => as(WRONG))).toEqual([401, 429, 429]);
    for (const path of ['/health/live', '/health/ready']) {
      for (let count = 0; count < 20; count++) {
        const { headers } = await http().get(path).set(as(WRONG)).expect(200);
        expect(headers.ratelimit).toBeUndefined();
      }
    }
  });

  it('has a limit per address for the document and its pages', async () => {
    api = await startTestApi({ ...settings, PORIN_TRUSTED_PROXIES: '127.0.0.0/8,::1' });
    const from = (address: string, path: string) => http().get(path).set('X-Forwarded-For', address);
    for (const path of ['/openapi.json', '/docs/', '/docs/swagger-ui.css']) await from('192.0.2.1', path).expect(200);
    for (const path of ['/openapi.json', '/docs/', '/docs/swagger-ui.css']) {
      const refused = await from('192.0.2.1', path).expect(429);
      expect(refused.body.code).toBe('too-many-requests');
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    await from('192.0.2.2', '/openapi.json').expect(200);
    await from('192.0.2.1', '/health/live').expect(200);
  });
});
