/** What names of images, registries and images themselves can do to a grid. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';
import { TestRegistry } from '../support/registry.js';

let grid: Grid;
let registry: TestRegistry;
let worker: TestWorker;

beforeAll(async () => {
  grid = await Grid.start();
  worker = await grid.startWorker('images', { PORIN_SLOTS: '4', PORIN_CPU_MILLI: '2000' });
});
beforeEach(async () => {
  registry = await TestRegistry.start(grid.docker);
});
afterEach(() => registry.stop());
afterAll(() => grid.stop());

const on = (image: string, command = ['true']) => ({ executors: [{ image, command }] });
const HOSTILE = [
  '../containers/json?x=',
  '../127.0.0.1:80/x?x=',
  'lab/EDF',
  'edf@sha256:12',
  'a%2f..%2fb',
  'e df',
  '-edf',
];

async function mayRun(lists: { registries?: string[]; local?: string[] }): Promise<void> {
  await grid.api.owner.query(
    `INSERT INTO tenant_setting (tenant, image_registries, local_images) VALUES ('default', $1, $2)
     ON CONFLICT (tenant) DO UPDATE SET (image_registries, local_images) = ROW (excluded.image_registries, excluded.local_images)`,
    [lists.registries ?? null, lists.local ?? null],
  );
}

describe('what is no reference of an image', () => {
  it.each(HOSTILE)('%j is refused with a sentence, for jobs and for applications', async (image) => {
    const requests = [
      grid.http('post', '/api/v1/jobs').send(on(image)),
      grid.http('post', '/api/v1/applications').send({ name: 'hostile', image }),
    ];
    for (const request of requests) {
      const { body } = await request.expect(422);
      expect(body).toMatchObject({
        code: 'image-invalid',
        detail: expect.stringContaining('is not a valid image reference') as string,
      });
    }
  });

  it('ends the job and nothing else where it comes past the API', async () => {
    for (const image of HOSTILE) {
      const gate = await grid.submit('', on(registry.reference('tools/none:1')));
      await grid.waitFor(gate, 'EXECUTOR_ERROR');
      const { rows } = await grid.api.owner.query<{ id: string }>(
        `WITH made AS (
           INSERT INTO job SELECT (jsonb_populate_record(job, jsonb_build_object('id', gen_random_uuid(), 'state', 'QUEUED', 'fence', 1,
             'dispatched_fence', 0, 'idempotency_key', NULL, 'error_code', NULL, 'error_message', NULL, 'ended_at', NULL,
             'started_at', NULL, 'waiting_reason', 'waiting-for-slot'))).*
           FROM job WHERE id = $1 RETURNING id
         ), executors AS (
           INSERT INTO executor SELECT (jsonb_populate_record(executor, jsonb_build_object('job_id', made.id, 'image', $2::text))).*
           FROM executor, made WHERE job_id = $1
         )
         SELECT id FROM made`,
        [gate, image],
      );
      await grid.api.owner.query('SELECT porin.enqueue($1, false)', [rows[0]?.id]);
      const job = await grid.waitFor(rows[0]?.id ?? '', 'EXECUTOR_ERROR');
      expect(job).toMatchObject({ errorCode: 'image-invalid', runs: [] });
    }
    expect(worker.child.exitCode).toBeNull();
    expect(await grid.run('true')).toMatchObject({ state: 'COMPLETE' });
  });
});

describe('a registry', () => {
  it('is asked for those tenants alone that may, and no other host is', async () => {
    registry.push('tools/probe', '1', { content: 'first' });
    const image = registry.reference('tools/probe:1');
    try {
      await mayRun({ registries: ['registry.example'] });
      expect(await grid.run('', on(image))).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'image-not-allowed' });
      expect(registry.requests).toEqual([]);
      await mayRun({ local: ['lab/*'] });
      expect(await grid.run('true')).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'image-not-allowed' });
      await mayRun({});
      expect(await grid.run('', on(image))).toMatchObject({ state: 'COMPLETE' });
    } finally {
      await mayRun({});
    }
  });

  it('tells the submitter nothing, whatever it is', async () => {
    const other = createServer((_request, response) => {
      response.writeHead(400, { 'Content-Type': 'application/json' });
      response.end('{"errors":[{"code":"DENIED","message":"the secret of another service"}],"message":"the secret"}');
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const job = await grid.run('', on(`127.0.0.1:${port}/tools/probe:1`));
      expect(job.state).toMatch(/_ERROR$/);
      expect(JSON.stringify(job)).not.toMatch(/the secret|DENIED/);
      expect(worker.log).toContain('secret');
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });
});

describe('the images of a tenant on a node', () => {
  const MIB = 1024 ** 2;
  const push = (name: string, zeroBytes: number) => registry.push(`tools/${name}`, '1', { content: name, zeroBytes });
  const set = (change: string) => grid.api.owner.query(`UPDATE tenant_setting SET ${change} WHERE tenant = 'default'`);
  const here = async (digest: string) =>
    (await grid.docker.listImages({ digests: true })).some(({ RepoDigests }) => RepoDigests?.includes(digest));

  afterEach(() => set(`max_image_bytes = NULL, unknown_content = 'learn'`));

  it('keep to its bound: the next takes the place of the last, and one beyond it ends its job by name, at once', async () => {
    await set(`max_image_bytes = ${24 * MIB}`);
    const [first, second, large] = [push('first', 12 * MIB), push('second', 12 * MIB), push('large', 40 * MIB)];
    expect(await grid.run('', on(first))).toMatchObject({ state: 'COMPLETE' });
    expect(await here(first)).toBe(true);
    expect(await grid.run('', on(second))).toMatchObject({ state: 'COMPLETE' });
    expect([await here(first), await here(second)]).toEqual([false, true]);
    const job = await grid.run('', on(large));
    expect(job).toMatchObject({
      ...{ state: 'EXECUTOR_ERROR', errorCode: 'image-too-large', runs: [], attempts: [{ number: 1 }] },
      errorMessage: expect.stringMatching(/at least \d{8} bytes .*tenant may take 25165824/) as string,
    });
    expect(await here(large)).toBe(false);
  });

  it('are those of jobs too that were never run', async () => {
    await set(`max_image_bytes = ${24 * MIB}, unknown_content = 'hold'`);
    const [first, second] = [push('first', 12 * MIB), push('second', 12 * MIB)];
    for (const image of [first, second]) {
      const id = await grid.submit('', on(image));
      await eventually(async () =>
        expect(await grid.job(id)).toMatchObject({ waitingReason: 'waiting-for-known-content' }),
      );
      await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
    }
    expect([await here(first), await here(second)]).toEqual([false, true]);
  });
});

describe('the image of an application', () => {
  const register = async (name: string, image: string) =>
    ((await grid.http('post', '/api/v1/applications').send({ name, image }).expect(201)).body as { id: string }).id;
  const checked = async (id: string, imageState: string) => {
    let body: Record<string, unknown> = {};
    await eventually(async () => {
      body = (await grid.http('get', `/api/v1/applications/${id}`).expect(200)).body as typeof body;
      expect(body).toMatchObject({ imageState });
    });
    return body;
  };

  it('is looked for when it is registered and when it is changed, and a warning says where it is not found', async () => {
    registry.push('tools/probe', '1', { content: 'first' });
    const created = await register('looked-for', registry.reference('tools/prode:1'));
    expect(await checked(created, 'not-found')).toMatchObject({
      imageProblem: expect.stringMatching(/registry/) as string,
    });
    const path = `/api/v1/applications/${created}`;
    const change = await grid
      .http('patch', path)
      .send({ image: registry.reference('tools/probe:1') })
      .expect(200);
    expect(change.body).toMatchObject({ imageState: 'unchecked', imageProblem: null, imageCheckedAt: null });
    expect(await checked(created, 'found')).toMatchObject({ imageProblem: null });
    // It is not pulled for that.
    expect((await grid.docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? [])).not.toContain(
      registry.reference('tools/probe:1'),
    );
  });

  it('is found where the node has it, and named where the tenant may not run it', async () => {
    await checked(await register('local', grid.image), 'found');
    const foreign = await checked(await register('foreign', 'registry.example/tools/probe:1'), 'not-found');
    expect(foreign.imageProblem).toContain('Ask an administrator');
  });
});

describe('an odd image', () => {
  it.each([
    ['a VOLUME that is a file', { Volumes: { '/bin/busybox': {} } }, 'policy-invalid'],
    ['a VOLUME below a file', { Volumes: { '/content/x': {} } }, 'policy-invalid'],
    ['a VOLUME that is /proc', { Volumes: { '/proc': {} } }, 'image-unusable'],
    ['a VOLUME below /proc', { Volumes: { '/proc/sys': {} } }, 'image-unusable'],
  ])('with %s is the submitter’s fault, at once', async (_what, config, errorCode) => {
    registry.push('tools/odd', '1', { content: 'odd', config });
    const job = await grid.run('', on(registry.reference('tools/odd:1')));
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode, attempts: [{ number: 1 }] });
  });

  it.each([
    ['a variable without a name', { Env: ['PATH=/bin', '', 'A'] }],
    ['a stop signal that is none', { Env: ['PATH=/bin'], StopSignal: 'NONE' }],
    ['a VOLUME that is /run', { Env: ['PATH=/bin'], Volumes: { '/run': {} } }],
    ['a HEALTHCHECK that is none', { Env: ['PATH=/bin'], Healthcheck: { Test: ['CMD', 'x'], Interval: 1 } }],
  ])('with %s is run all the same', async (_what, config) => {
    registry.push('tools/odd', '1', { content: 'odd', config });
    expect(await grid.run('', on(registry.reference('tools/odd:1')))).toMatchObject({ state: 'COMPLETE' });
  });
});

describe('a job that cannot be told to its container', () => {
  it('says so in words, at once', async () => {
    const command = ['true', ...Array.from({ length: 20 }, () => 'x'.repeat(120_000))];
    const job = await grid.run('', { executors: [{ image: grid.image, command }] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'policy-invalid', attempts: [{ number: 1 }] });
    const ended = { outcome: null, errorCode: 'policy-invalid', endedAt: expect.any(String) };
    expect(job.runs).toMatchObject([ended]);
    expect(job.errorMessage).toContain('The command line and environment are too large');
  });
});

describe('a payload', () => {
  it('has a user, a home and a host that it can look up', async () => {
    const script = 'echo $USER $LOGNAME $HOME $(hostname); hostname -i; touch $HOME/x && echo written';
    const id = await grid.submit(script);
    await grid.waitFor(id, 'COMPLETE');
    expect(await grid.log(id)).toBe('porin porin /tmp porin\n127.0.0.1\nwritten\n');
  });

  it('keeps what its image or its job says of them', async () => {
    registry.push('tools/own', '1', { content: '', config: { Env: ['PATH=/bin', 'USER=image', 'HOME=/nowhere'] } });
    const id = await grid.submit('', {
      executors: [
        {
          image: registry.reference('tools/own:1'),
          command: ['sh', '-c', 'echo $USER $LOGNAME $HOME'],
          environment: { LOGNAME: 'job' },
        },
      ],
    });
    await grid.waitFor(id, 'COMPLETE');
    expect(await grid.log(id)).toBe('image job /nowhere\n');
  });
});
