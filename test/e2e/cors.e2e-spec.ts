/** Pages of other origins: none is let in unless the settings list it. */
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';

const PORTAL = 'https://portal.example.org';
const PATHS = ['/ga4gh/tes/v1/tasks', '/v1/tasks', '/api/v1/jobs'];

let api: TestApi;
let key: string;
beforeAll(async () => {
  api = await startTestApi();
  key = await api.makeKey({ role: 'submitter' });
});
afterAll(() => api.stop());

const preflight = (path: string, origin: string) =>
  supertest(api.app.getHttpServer()).options(path).set({
    Origin: origin,
    'Access-Control-Request-Method': 'POST',
    'Access-Control-Request-Headers': 'authorization',
  });
const corsOf = (headers: Record<string, string>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

describe('without the setting', () => {
  it.each(PATHS)('no page may ask for %s', async (path) => {
    const asked = await preflight(path, PORTAL).expect(401);
    const answered = await api.get(key, path).set('Origin', PORTAL).expect(200);
    expect([...corsOf(asked.headers), ...corsOf(answered.headers)]).toEqual([]);
    expect(answered.headers.vary).toBeUndefined();
  });
});

describe('with a list of origins', () => {
  beforeAll(() => api.restart({ PORIN_CORS_ORIGINS: `http://127.0.0.1:5173,${PORTAL}` }));

  it.each(PATHS)('a page of one of them may ask for %s', async (path) => {
    const asked = await preflight(path, PORTAL).expect(204);
    expect(asked.headers).toMatchObject({
      ...{
        'access-control-allow-origin': PORTAL,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        vary: 'Origin',
      },
      'access-control-allow-headers': expect.stringContaining('Authorization'),
    });
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
    const answered = await api.get(key, path).set('Origin', PORTAL).expect(200);
    expect(answered.headers).toMatchObject({ 'access-control-allow-origin': PORTAL, vary: 'Origin' });
    const refused = await supertest(api.app.getHttpServer()).get(path).set('Origin', PORTAL).expect(401);
    expect(refused.headers['access-control-allow-origin']).toBe(PORTAL);
  });

  it.each([
    'https://evil.example.org',
    'null',
    `${PORTAL}.evil.example.org`,
    `${PORTAL}:8443`,
    'http://portal.example.org',
  ])('a page of %s may not', async (origin) => {
    const asked = await preflight('/v1/tasks', origin).expect(401);
    const answered = await api.get(key, '/v1/tasks').set('Origin', origin).expect(200);
    expect([...corsOf(asked.headers), ...corsOf(answered.headers)]).toEqual([]);
    expect(answered.headers.vary).toBe('Origin');
  });

  it('an OPTIONS request that is no preflight needs a key as before', async () => {
    await supertest(api.app.getHttpServer()).options('/v1/tasks').set('Origin', PORTAL).expect(401);
    await supertest(api.app.getHttpServer()).options('/v1/tasks').expect(401);
  });

  it('nobody without an origin sees more than before', async () => {
    const { headers } = await api.get(key, '/v1/tasks').expect(200);
    expect(corsOf(headers)).toEqual([]);
  });
});
