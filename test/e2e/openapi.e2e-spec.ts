import { readFileSync } from 'node:fs';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../support/api.js';

interface Operation {
  operationId: string;
  summary?: string;
  security?: object[];
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}

let api: TestApi;
const http = () => supertest(api.app.getHttpServer());
const committed = JSON.parse(readFileSync('openapi.json', 'utf8')) as Document;
const operations = Object.entries(committed.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
);

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

/**
 * Of Fastify's tree, where a line holds what it adds to the path above it: `│   └── /:id (GET, HEAD)`. HEAD answers as GET. A
 * parameter may have a pattern; a colon is written twice.
 */
function routesOf(tree: string): string[] {
  const paths: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods = ''] = /^((?:[│ ] {3})*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === '') return [];
    paths.length = indent.length / 4;
    paths.push(part);
    const path = paths
      .join('')
      .replace(/(?<!:):(\w+)(\(.*?\))?/g, '{$1}')
      .replaceAll('::', ':');
    const own = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
    return own.map((method) => `${method.toLowerCase()} ${path}`);
  });
}

describe('the OpenAPI document', () => {
  it('is served as it is committed', async () => {
    const { body } = await http().get('/openapi.json').expect(200);
    expect(body).toEqual(committed);
  });

  it('has every route that answers', () => {
    const routes = routesOf(api.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }));
    const ours = routes.filter((route) => !/ \/(docs|openapi\.json)/.test(route));
    expect(ours.sort()).toEqual(operations.map(([name]) => name).sort());
  });

  it.each(operations)('documents the answer, the problems and the key of %s', (name, operation) => {
    const { responses, security, summary } = operation;
    const isOfTes = !/ \/(api|health)\//.test(name);
    expect(summary).toBeTruthy();
    expect(security).toEqual(name.includes(' /health/') ? undefined : [{ bearer: [] }, { basic: [] }]);
    const [status = '', ...problems] = Object.keys(responses).filter((each) => each !== '503');
    expect(status).toMatch(/^20[01]$/);
    expect(Object.values(responses[status]?.content ?? {})[0]?.schema).toBeTruthy();
    for (const each of problems.filter((problem) => problem !== '201')) {
      expect(responses[each]?.content?.['application/problem+json']?.schema).toEqual({
        $ref: `#/components/schemas/${isOfTes ? 'TesProblem' : 'Problem'}`,
      });
    }
  });

  it('has a name of its own for every operation', () => {
    const names = operations.map(([, { operationId }]) => operationId);
    expect(names.every((name) => /^[a-zA-Z]+_[a-zA-Z]+(_\d)?$/.test(name))).toBe(true);
    expect(new Set(names).size).toBe(names.length);
  });

  it('refers to nothing that it does not have', () => {
    const references = [...JSON.stringify(committed).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    const known = Object.keys(committed.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(known).toEqual(expect.arrayContaining([...new Set(references)]));
  });
});

describe('pages and headers', () => {
  it('shows the documentation to a browser', async () => {
    const page = await http().get('/docs').redirects(1).expect(200);
    expect(page.text).toContain('swagger-ui');
    await http().get('/docs/swagger-ui-bundle.js').expect(200);
    await http().get('/docs/swagger-ui-standalone-preset.js').expect(200);
    // Every script loads the one document that is kept rendered.
    const start = (await http().get('/docs/swagger-initializer.js').expect(200)).text;
    expect(start).toContain('../openapi.json');
    expect(start.length).toBeLessThan(1_000);
  });

  it('lets a browser do nothing with any other answer', async () => {
    for (const path of ['/health/live', '/api/v1/jobs', '/openapi.json', '/nothing']) {
      const { headers } = await http().get(path);
      expect(headers).toMatchObject({
        ...{ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'cache-control': 'no-store' },
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
      expect(headers['x-powered-by']).toBeUndefined();
    }
  });
});
