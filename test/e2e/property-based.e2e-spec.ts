/** Requests that schemathesis makes up from openapi.json: none gets a fault of ours, or an answer that is not documented. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPython, runPython } from '../../scripts/setup/python-environment.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { makeLearningApplication } from '../support/learning-application.js';

const SEED = 20_261_128;
/** Of each route, beyond the boundary values of each of its parameters. */
const EXAMPLES = 5;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'ignored_auth',
  'unsupported_method',
  'allow_header_conformance',
];
const LIMITS = [
  'PORIN_RATE_LIMIT_PER_MINUTE',
  'PORIN_TENANT_RATE_LIMIT_PER_MINUTE',
  'PORIN_WRONG_KEY_LIMIT_PER_MINUTE',
  'PORIN_OPEN_FILES_LIMIT_PER_MINUTE',
];

let api: TestApi;
let directory: string;
let program: string;

beforeAll(async () => {
  const environment = installPython({
    requirements: 'test/support/schemathesis.txt',
    proof: ['schemathesis', '--version'],
    onlyWheels: true,
  });
  program = join(environment, 'bin/schemathesis');
  api = await startTestApi(Object.fromEntries(LIMITS.map((name) => [name, '1000000'])));
  await api.app.listen(0, '127.0.0.1');
  directory = await mkdtemp(join(tmpdir(), 'porin-schemathesis-'));
  await cp('openapi.json', join(directory, 'openapi.json'));
});
afterAll(async () => {
  await api.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Ids that exist: made-up ones would only ever find nothing. */
async function configuration(): Promise<string> {
  const key = await api.makeKey({ role: 'admin' });
  const keys = { submitter: key, admin: key };
  const application = await makeLearningApplication(api, { keys, nodeId: await api.worker.addNode({ slots: 100 }) });
  const version = await application.learn(['read', 'openat']);
  const { jobId } = await application.run({ calls: ['read', 'openat'] });
  const operations = Object.entries({ jobs: jobId, tasks: jobId, applications: application.id, profiles: version.id });
  return operations
    .map(([kind, id]) => `[[operations]]\ninclude-path-regex = "/v1/${kind}/"\nparameters = { "path.id" = "${id}" }\n`)
    .join('');
}

/** An operator may call little: of the rest it is told so. */
const CALLERS = [
  ['admin', [], 500],
  ['operator', ['--include-path-regex', '^/api/v1/(tenants|nodes)'], 50],
] as const;

describe('the API', () => {
  it.each(CALLERS)(
    'answers %s whatever its document allows, and what it does not, as documented',
    { timeout: 240_000 },
    async (role, routes, atLeast) => {
      const key = await api.makeKey({ role });
      await writeFile(join(directory, 'schemathesis.toml'), await configuration());
      const { exitCode, stdout, stderr } = await runPython(
        program,
        [
          ...['--config-file', 'schemathesis.toml', 'run', 'openapi.json', '--url', await api.app.getUrl()],
          ...routes,
          ...['--header', `Authorization: Bearer ${key}`, '--seed', String(SEED), '--max-examples', String(EXAMPLES)],
          ...['--phases', 'coverage,fuzzing', '--checks', CHECKS.join(','), '--continue-on-failure'],
          ...['--suppress-health-check', 'all', '--warnings', 'off', '--request-timeout', '20', '--no-color'],
        ],
        { directory },
      );
      const output = stdout + stderr;
      expect(exitCode, output).toBe(0);
      expect(output).toMatch(/Tested: (\d+)/);
      expect(Number(/(\d+) generated/.exec(output)?.[1])).toBeGreaterThan(atLeast);
    },
  );
});
