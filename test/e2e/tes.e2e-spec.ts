/** GA4GH TES 1.1 over HTTP: tasks are jobs, shown as the specification says. */
import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UNWATCHED } from '../../apps/api/src/ga4gh/show/read-tasks.js';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { cancelEverything } from '../support/worker-rows.js';

const BASES = ['/ga4gh/tes/v1', '/v1'] as const;
const [TES] = BASES;
const executor = { image: 'debian:bookworm', command: ['true'] };
const task = { executors: [executor] };

let api: TestApi;
let keys: Record<'submitter' | 'other' | 'reviewer' | 'admin' | 'stranger' | 'operator', string>;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi({ PORIN_RATE_LIMIT_PER_MINUTE: '1000000', PORIN_TENANT_RATE_LIMIT_PER_MINUTE: '1000000' });
  keys = {
    submitter: await api.makeKey({ role: 'submitter' }),
    other: await api.makeKey({ role: 'submitter' }),
    reviewer: await api.makeKey({ role: 'reviewer' }),
    admin: await api.makeKey({ role: 'admin' }),
    stranger: await api.makeKey({ role: 'admin', tenant: 'elsewhere' }),
    operator: await api.makeKey({ role: 'operator' }),
  };
  nodeId = await api.worker.addNode({ slots: 100 });
});
afterAll(async () => {
  await cancelEverything(api.owner);
  await api.stop();
});

interface Task {
  readonly id: string;
  readonly state: string;
  readonly logs?: readonly { system_logs: string[]; logs: object[]; metadata: Record<string, string> }[];
}

const create = async (body: object = task, key = keys.submitter, base: string = TES): Promise<string> => {
  const answer = await api.post(key, `${base}/tasks`, body).expect(200);
  expect(answer.body).toEqual({ id: expect.any(String) });
  return answer.body.id;
};
const read = async (id: string, view = 'FULL', key = keys.submitter) =>
  (await api.get(key, `${TES}/tasks/${id}?view=${view}`).expect(200)).body;
const list = async (
  query: string,
  key: string,
  base: string = TES,
): Promise<{ tasks: Task[]; next_page_token?: string }> =>
  (await api.get(key, `${base}/tasks?${query}`).expect(200)).body;

/** Every page, one after another. */
async function listAll(query: string, key: string, between: () => Promise<void> = () => Promise.resolve()) {
  const pages: Task[][] = [];
  for (let token = ''; ;) {
    const { tasks, next_page_token: next } = await list(`${query}&page_token=${token}`, key);
    pages.push(tasks);
    if (next === undefined) return pages;
    token = next;
    await between();
  }
}

describe('what the service says of itself', () => {
  const paths = ['/ga4gh/tes/v1', '/v1', '/ga4gh/tes', '', '/v1/tasks'].map((base) => `${base}/service-info`);

  it.each(paths)('is at %s, for whoever has a key', async (path) => {
    const { body } = await api.get(keys.submitter, path).expect(200);
    expect(body).toEqual({
      ...{ id: 'porin.tes', name: 'Porin', description: expect.any(String), version: '0.1.0' },
      type: { group: 'org.ga4gh', artifact: 'tes', version: '1.1.0' },
      organization: { name: 'Porin', url: 'https://porin.invalid' },
      storage: ['file:///'],
      tesResources_backend_parameters: [
        ...['porin_application', 'porin_enforcement', 'porin_monitoring', 'porin_priority', 'porin_secrets'],
        'porin_wall_time_s',
      ],
    });
    await supertest(api.app.getHttpServer()).get(path).expect(401);
    await api.get(keys.operator, path).expect(403);
  });

  it.each(['/tasks', '/ga4gh/tes/tasks', '/ga4gh/v1/tasks', '/v1/tasks/'])('there is nothing at %s', async (path) => {
    await api.get(keys.submitter, path).expect(404);
    await api.post(keys.submitter, path, task).expect(404);
  });
});

describe('a task', () => {
  it.each(BASES)('made at %s is a job, and a job is a task', async (base) => {
    const id = await create({ ...task, name: 'both', tags: { study: 'sleep' } }, keys.submitter, base);
    const { body: job } = await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200);
    const more = { publishOn: 'executor-error', executors: [executor] };
    expect(job).toMatchObject({ id, name: 'both', tags: { study: 'sleep' }, state: 'QUEUED', ...more });
    const made = await api.post(keys.submitter, '/api/v1/jobs', { ...task, name: 'of Porin' }).expect(201);
    const { body } = await api.get(keys.submitter, `${base}/tasks/${made.body.id}?view=BASIC`).expect(200);
    expect(body).toEqual({
      ...{ id: made.body.id, state: 'QUEUED', name: 'of Porin', tags: {}, inputs: [], outputs: [] },
      resources: { cpu_cores: 1, ram_gb: 1, disk_gb: 1 },
      executors: [executor],
      creation_time: made.body.createdAt,
    });
  });

  it('has an answer to its creation that tells nothing of Porin, and so has a job of its own', async () => {
    const { body } = await api.post(keys.submitter, '/api/v1/jobs', task).expect(201);
    expect(Object.keys(body)).not.toContain('task');
    const id = await create({ ...task, description: 'words' });
    const job = await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200);
    expect(job.text).not.toContain('words');
  });

  const whole = {
    ...{ name: 'whole', description: 'What it is for', tags: { a: 'b', 'ключ 𝄞': '', constructor: 'c' } },
    inputs: [
      { name: 'in', description: 'd', url: '/data/in a.edf', path: '/in/a', type: 'FILE', streamable: true },
      { name: 'in', content: 'größe', path: '/in/b', type: 'FILE' },
    ],
    outputs: [{ name: 'out', description: 'd', url: 'file:///data/tes/a', path: '/out/a', type: 'FILE' }],
    resources: {
      ...{ cpu_cores: 1, ram_gb: 0.5, disk_gb: 0.25, preemptible: true, zones: ['z'] },
      ...{ backend_parameters: { Porin_Priority: '1', VmSize: 'secret' }, backend_parameters_strict: false },
    },
    executors: [
      {
        ...executor,
        workdir: '/tmp',
        env: { A: 'b' },
        stdin: '/in/a',
        stdout: '/tmp/a',
        stderr: '/vol/a',
        ignore_error: true,
      },
    ],
    volumes: ['/vol'],
  };

  it('is shown in each view with the members of the specification, and no others', async () => {
    const id = await create(whole);
    expect((await api.get(keys.submitter, `${TES}/tasks/${id}`)).body).toEqual({ id, state: 'QUEUED' });
    expect(await read(id, 'MINIMAL')).toEqual({ id, state: 'QUEUED' });
    const shown = {
      ...{ id, state: 'QUEUED', name: whole.name, description: whole.description, tags: whole.tags },
      ...{ inputs: whole.inputs, outputs: whole.outputs, executors: whole.executors, volumes: whole.volumes },
      resources: { ...whole.resources, backend_parameters: { porin_priority: '1' } },
      creation_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    };
    const warned = { logs: [], outputs: [], metadata: {} };
    expect(await read(id, 'FULL')).toEqual({
      ...shown,
      logs: [{ ...warned, system_logs: [expect.any(String), expect.any(String), expect.stringContaining('VmSize')] }],
    });
    const { content: _content, ...second } = whole.inputs[1] ?? {};
    expect(await read(id, 'BASIC')).toEqual({ ...shown, inputs: [whole.inputs[0], second], logs: [warned] });

    const attempt = await api.worker.claim(id, nodeId);
    expect((await read(id, 'MINIMAL')).state).toBe('INITIALIZING');
    const buildId = await api.worker.resolveBuild(id, 'sha256:whole');
    const runId = await api.worker.startRun(attempt, { buildId });
    await api.worker.setJob(id, 'RUNNING');
    expect((await read(id, 'FULL')).logs).toMatchObject([{ logs: [], outputs: [] }]);
    const stdout = await api.worker.addArtifact(runId, 'stdout');
    await api.worker.addChunk(stdout, 0, Buffer.from('eins '));
    await api.worker.addChunk(stdout, 5, Buffer.from('zwei\n'));
    await api.worker.addDenial(runId, { call: 'socket' });
    await api.worker.endRun(runId, { wallUs: 1_500_000, userUs: 700_000 });
    await api.worker.addOutput(attempt, {
      path: '/out/a',
      url: 'file:///data/tes/a',
      sha256: 'a'.repeat(64),
      bytes: 2 ** 40,
    });
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);

    const time = expect.stringMatching(/Z$/);
    const executorLog = { start_time: time, end_time: time, exit_code: 0 };
    const log = {
      ...{ start_time: time, end_time: time, logs: [executorLog] },
      outputs: [{ url: 'file:///data/tes/a', path: '/out/a', size_bytes: String(2 ** 40) }],
      metadata: {
        ...{ node: expect.any(String), attempt: '1', enforcement: 'none', monitoring: 'syscalls', denials: '3' },
        ...{ wall_time_ms: '1500', user_cpu_time_ms: '700', system_cpu_time_ms: '0', cpu_time_ms: '700' },
        peak_memory_bytes: '4096',
      },
    };
    const basic = await read(id, 'BASIC');
    expect(basic).toEqual({ ...shown, state: 'COMPLETE', inputs: [whole.inputs[0], second], logs: [log] });
    const full = await read(id, 'FULL');
    expect(full).toEqual({
      ...{ ...shown, state: 'COMPLETE' },
      logs: [
        {
          ...log,
          logs: [{ ...executorLog, stdout: 'eins zwei\n', stderr: '' }],
          system_logs: [
            expect.stringContaining('preemptible'),
            expect.stringContaining('zones'),
            'The backend parameter VmSize is not supported and is ignored.',
            expect.stringMatching(/^Attempt 1 on node .*: COMPLETE\.$/),
          ],
        },
      ],
    });
    for (const view of ['MINIMAL', 'BASIC', 'FULL']) {
      const { tasks } = await list(`view=${view}&name_prefix=whole&page_size=1`, keys.submitter);
      expect(tasks).toEqual([await read(id, view)]);
    }
    expect(JSON.stringify(full)).not.toContain('secret');
    const { rows } = await api.owner.query('SELECT task::text FROM job WHERE id = $1', [id]);
    expect(rows[0].task).not.toContain('secret');
  });

  it('has the log of its latest attempt alone, with what the others ended by', async () => {
    const id = await create();
    await api.worker.claim(id, nodeId, { leaseS: -1 });
    await eventually(async () => {
      expect((await api.get(keys.submitter, `/api/v1/jobs/${id}`)).body.fence).toBe(2);
    });
    const attempt = await api.worker.claim(id, nodeId);
    const buildId = await api.worker.resolveBuild(id, 'sha256:retried');
    const runId = await api.worker.startRun(attempt, { buildId });
    await api.worker.setJob(id, 'RUNNING');
    await api.worker.endRun(runId, { exitCode: null, outcome: 'exec-failed' });
    await api.worker.endJob(attempt, ['FAILED', 'command-not-found'], ['EXECUTOR_ERROR']);
    const { logs, state } = (await read(id)) as Task;
    expect(state).toBe('EXECUTOR_ERROR');
    expect(logs).toHaveLength(1);
    expect(logs?.[0]?.logs).toMatchObject([{ exit_code: 127 }]);
    expect(logs?.[0]?.system_logs).toEqual([
      expect.stringMatching(/^Attempt 1 on node .*: LOST\. lease-lost: /),
      expect.stringMatching(/^Attempt 2 on node .*: FAILED\. command-not-found: words about command-not-found$/),
    ]);
    expect(logs?.[0]?.metadata.attempt).toBe('2');
  });

  it('is compared with all that was run unwatched of the same, however much was run otherwise', async () => {
    const id = await create();
    const attempt = await api.worker.claim(id, nodeId);
    const buildId = await api.worker.resolveBuild(id, 'sha256:compared');
    const terms = { buildId, inputsDigest: 'sha256:compared' };
    const watched = await api.worker.startRun(attempt, { ...terms, monitoring: 'syscalls' });
    await api.worker.endRun(watched, { wallUs: 3_000_000 });
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
    const ratio = async () => ((await read(id)) as Task).logs?.[0]?.metadata.overhead_ratio;
    const others = await create();
    const earlier = await api.worker.claim(others, nodeId);
    /** Runs of the same, one after another. */
    const run = (from: number, to: number, differences: string) =>
      api.owner.query(
        `INSERT INTO executor_run (id, job_id, attempt_number, position, build_id, node_id, enforcement, monitoring, selection_reason,
           filter_digest, inputs_digest, data_digest, node_facts, exit_code, wall_us, ended_at)
         SELECT gen_random_uuid(), $2::uuid, $3::integer, place, build_id, node_id, told.enforcement, told.monitoring, 'r', 'f',
           told.inputs_digest, '', '{}', told.exit_code, told.wall_us, now()
         FROM executor_run, generate_series($4::integer, $5::integer) AS place,
           (VALUES ${differences}) AS told (enforcement, monitoring, inputs_digest, exit_code, wall_us)
         WHERE id = $1`,
        [watched, others, earlier.number, from, to],
      );
    await run(0, 999, `('none', 'none', 'sha256:compared', 1, 7)`);
    await run(1000, 1999, `('none', 'syscalls', 'sha256:compared', 0, 7)`);
    await run(2000, 2000, `('none', 'none', 'sha256:another', 0, 7)`);
    expect(await ratio()).toBeUndefined();
    await run(2001, 2003, `('none', 'none', 'sha256:compared', 0, 2000000)`);
    expect(await ratio()).toBe('1.500');
    await api.owner.query('ANALYZE executor_run');
    const plan = await api.owner.query(`EXPLAIN ${UNWATCHED.replace('$1', `'{${watched}}'`)}`);
    expect(JSON.stringify(plan.rows)).toContain('executor_run_unwatched');
  });

  it('shows the last bytes of what was printed, and says where all of it is', async () => {
    const id = await create();
    const attempt = await api.worker.claim(id, nodeId);
    const buildId = await api.worker.resolveBuild(id, 'sha256:long');
    const runId = await api.worker.startRun(attempt, { buildId });
    const stderr = await api.worker.addArtifact(runId, 'stderr');
    const part = Buffer.from('ä'.repeat(15_000));
    for (let index = 0; index < 5; index++) await api.worker.addChunk(stderr, index * part.length, part);
    await api.worker.addChunk(stderr, 5 * part.length, Buffer.from('!'));
    await api.worker.endRun(runId);
    await api.worker.endJob(attempt, ['COMPLETE'], ['COMPLETE']);
    const { logs } = await read(id);
    // 64 KiB begin within a character here.
    expect(logs[0].logs[0].stderr).toBe(`${'ä'.repeat(32_767)}!`);
    expect(logs[0].system_logs.at(-1)).toContain(`/api/v1/jobs/${id}/logs?stream=stderr&executor=0`);
    const { tasks } = await list('view=FULL&page_size=2', keys.submitter);
    expect(JSON.stringify(tasks.find((each) => each.id === id)?.logs)).toMatch(/"ä{2047}!"/);
  });

  it('takes nulls for what was not sent, and passes over what it does not know', async () => {
    const nothing = { id: 'mine', state: 'RUNNING', logs: null, creation_time: null, volumes: null, inputs: null };
    const resources = { cpu_cores: null, ram_gb: 0, disk_gb: null, preemptible: null, zones: null };
    const given = [{ ...executor, stdin: null, stdout: '', workdir: null, env: { A: null, B: 'b' }, gpu: 1 }];
    const id = await create({ ...nothing, name: null, tags: { a: null, b: '' }, resources, executors: given });
    expect(id).not.toBe('mine');
    expect(await read(id, 'BASIC')).toMatchObject({
      ...{ state: 'QUEUED', tags: { b: '' }, executors: [{ ...executor, env: { B: 'b' } }] },
      resources: { cpu_cores: 1, ram_gb: 1, disk_gb: 1 },
    });
    const { body } = await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200);
    expect(body.resources).toMatchObject({ memoryBytes: 1024 ** 3 });
  });

  it('may bring 1 MiB of content', async () => {
    const content = 'x'.repeat(1024 ** 2);
    const id = await create({ ...task, inputs: [{ content, path: '/in/a' }] });
    expect((await read(id)).inputs).toEqual([{ content, path: '/in/a', type: 'FILE' }]);
    const larger = { ...task, inputs: [{ content: `${content}x`, path: '/in/a' }] };
    expect((await api.post(keys.submitter, `${TES}/tasks`, larger).expect(400)).body.message).toContain(
      'inputs.0.content',
    );
  });

  it('runs an application under levels that backend parameters ask for', async () => {
    const name = `app-${randomUUID()}`;
    await api
      .post(keys.admin, '/api/v1/applications', { name, image: 'porin/edf:1', commandPrefix: ['edf'] })
      .expect(201);
    const backend_parameters = { porin_application: name, porin_monitoring: 'syscalls', porin_wall_time_s: '60' };
    const id = await create({ ...task, resources: { backend_parameters, backend_parameters_strict: true } });
    const { body } = await api.get(keys.submitter, `/api/v1/jobs/${id}`).expect(200);
    expect(body).toMatchObject({ requestedMonitoring: 'syscalls', resources: { wallTimeS: 60 } });
    expect((await read(id)).executors).toEqual([{ image: 'porin/edf:1', command: ['edf', 'true'] }]);
    const unknown = { ...task, resources: { backend_parameters: { porin_application: 'nobody' } } };
    await api.post(keys.submitter, `${TES}/tasks`, unknown).expect(422);
    const strict = { ...task, resources: { backend_parameters: { VmSize: 'l' }, backend_parameters_strict: true } };
    await api.post(keys.submitter, `${TES}/tasks`, strict).expect(400);
  });

  it('is repeated by a rerun with all that it said', async () => {
    const id = await create({ ...task, description: 'again' });
    const { body } = await api.post(keys.submitter, `/api/v1/jobs/${id}/rerun`).expect(201);
    expect(await read(body.id)).toMatchObject({ description: 'again', state: 'QUEUED' });
  });
});

describe('who sees a task', () => {
  it('is its submitter, and who reviews for its tenant', async () => {
    const name = randomUUID();
    const id = await create({ ...task, name });
    const seen = async (key: string) => {
      const { status } = await api.get(key, `${TES}/tasks/${id}?view=FULL`);
      const { tasks } = await list(`name_prefix=${name}`, key);
      expect(tasks).toEqual(status === 200 ? [{ id, state: 'QUEUED' }] : []);
      return status;
    };
    expect(await Promise.all([keys.submitter, keys.reviewer, keys.admin].map(seen))).toEqual([200, 200, 200]);
    expect(await Promise.all([keys.other, keys.stranger].map(seen))).toEqual([404, 404]);
    for (const key of [keys.other, keys.stranger]) {
      const { body } = await api.post(key, `${TES}/tasks/${id}:cancel`).expect(404);
      expect(body.code).toBe('not-found');
    }
    expect((await read(id, 'MINIMAL')).state).toBe('QUEUED');
    await api.get(keys.operator, `${TES}/tasks`).expect(403);
  });
});

describe('a cancel', () => {
  it.each(BASES)('at %s ends a task, and may come again', async (base) => {
    const id = await create();
    for (let times = 0; times < 2; times++) {
      const { body } = await api.post(keys.submitter, `${base}/tasks/${id}:cancel`).expect(200);
      expect(body).toEqual({});
      expect((await read(id, 'MINIMAL')).state).toBe('CANCELED');
    }
    expect((await read(id, 'FULL')).logs).toMatchObject([{ logs: [], outputs: [], system_logs: expect.any(Array) }]);
  });

  it('of a running task shows it as CANCELED at once, and of one that has ended changes nothing', async () => {
    const id = await create();
    const attempt = await api.worker.claim(id, nodeId);
    await api.worker.setJob(id, 'RUNNING');
    await api.post(keys.submitter, `${TES}/tasks/${id}:cancel`).expect(200);
    expect((await api.get(keys.submitter, `/api/v1/jobs/${id}`)).body.state).toBe('CANCELING');
    expect((await read(id, 'MINIMAL')).state).toBe('CANCELED');
    await api.worker.endJob(attempt, ['CANCELED'], ['CANCELED']);
    const done = await create();
    await api.worker.endJob(await api.worker.claim(done, nodeId), ['COMPLETE'], ['COMPLETE']);
    await api.post(keys.submitter, `${TES}/tasks/${done}:cancel`).expect(200);
    expect((await read(done, 'MINIMAL')).state).toBe('COMPLETE');
  });

  it('of what is no task finds nothing', async () => {
    for (const id of [randomUUID(), 'job-0012345', 'a:b', '%00', 'x'.repeat(5_000), '..', 'null']) {
      await api.post(keys.submitter, `${TES}/tasks/${id}:cancel`).expect(404);
      await api.get(keys.submitter, `${TES}/tasks/${id}`).expect(404);
    }
    const { headers } = await api.post(keys.submitter, `${TES}/tasks/${randomUUID()}`).expect(405);
    expect(headers.allow).toBe('GET, HEAD');
    const cancel = await api.get(keys.submitter, `${TES}/tasks/${randomUUID()}:cancel`).expect(405);
    expect(cancel.headers.allow).toBe('POST');
  });
});

describe('the list of tasks', () => {
  it('has each task on one page, however many come, run and end meanwhile', async () => {
    const key = await api.makeKey({ role: 'submitter' });
    const ids = new Set<string>();
    for (let index = 0; index < 300; index++) ids.add(await create(task, key));
    // Of one instant, as those that are committed together.
    await api.owner.query(`UPDATE job SET created_at = '2026-01-01T00:00:00.123457Z' WHERE id = ANY ($1)`, [
      [...ids].slice(100, 200),
    ]);
    const [first = '', ...others] = ids;
    const pages = await listAll('page_size=17', key, async () => {
      await create(task, key);
      const id = others.pop() ?? first;
      await api.post(key, `${TES}/tasks/${id}:cancel`).expect(200);
    });
    const listed = pages.flat().map(({ id }) => id);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter((id) => ids.has(id)).sort()).toEqual([...ids].sort());
    expect(pages.slice(0, -1).every((page) => page.length === 17)).toBe(true);
    const { tasks, next_page_token: next } = await list('', key);
    expect([tasks.length, typeof next]).toEqual([256, 'string']);
    const largest = await list('page_size=2047', key);
    expect(largest.tasks.length).toBeGreaterThan(300);
    expect(Object.keys(largest)).toEqual(['tasks']);
  });

  it.each([
    ['name_prefix=list-', ['a', 'b', 'c']],
    ['name_prefix=list-a', ['a']],
    ['name_prefix=LIST', []],
    ['name_prefix=%25', []],
    ['state=CANCELED', ['b']],
    ['state=QUEUED', ['a', 'c']],
    ['state=CANCELING', []],
    ['state=UNKNOWN', []],
    ['state=', ['a', 'b', 'c']],
    ['tag_key=study', ['a', 'b']],
    ['tag_key=study&tag_value=', ['a', 'b']],
    ['tag_key=study&tag_value=sleep', ['a', 'b']],
    ['tag_key=study&tag_value=slee', []],
    ['tag_key=study&tag_value=sleep&tag_key=site&tag_value=', ['b']],
    ['tag_key=study&tag_value=&tag_key=site&tag_value=1%3D2', ['b']],
    ['tag_key=study&tag_key=site&tag_value=sleep', ['b']],
    ['tag_key=study&tag_value=sleep&tag_key=study&tag_value=', ['a', 'b']],
    ['tag_key=study&tag_value=wake&tag_key=study&tag_value=sleep', []],
    ['tag_key=empty', ['c']],
    ['tag_key=__proto__', ['c']],
    ['tag_key=__proto__&tag_value=x', ['c']],
    ['tag_key=toString', []],
    ['tag_key=stud', []],
    ['tag_key=study&name_prefix=list-b&state=CANCELED', ['b']],
    ['unknown=1', ['a', 'b', 'c']],
  ])('with %s has %j', async (query, names) => {
    const key = await api.makeKey({ role: 'submitter' });
    await create({ ...task, name: 'list-a', tags: { study: 'sleep' } }, key);
    const canceled = await create({ ...task, name: 'list-b', tags: { study: 'sleep', site: '1=2' } }, key);
    const tags = JSON.parse('{"empty": "", "__proto__": "x"}') as object;
    await create({ ...task, name: 'list-c', tags }, key);
    await api.post(key, `${TES}/tasks/${canceled}:cancel`).expect(200);
    for (const base of BASES) {
      const { tasks } = await list(`view=BASIC&${query}`, key, base);
      expect(tasks.map((each) => (each as Task & { name: string }).name.slice(-1)).sort()).toEqual(names);
    }
  });

  it.each([
    ...['page_size=2048', 'page_size=-1', 'page_size=1e9', 'page_size=99999999999999999999', 'page_size=a'],
    ...['page_token=next', 'page_token=%00', `page_token=${'_'.repeat(32)}`, `page_token=${'A'.repeat(5_000)}`],
    ...[
      'view=ALL',
      'view=FULL&view=BASIC',
      'state=DONE',
      'tag_key=%00',
      'tag_value=a',
      `name_prefix=${'a'.repeat(300)}`,
    ],
  ])('refuses %s', async (query) => {
    const { body } = await api.get(keys.submitter, `${TES}/tasks?${query}`).expect(400);
    expect(body).toMatchObject({
      code: 'invalid-request',
      status: 400,
      status_code: 400,
      problems: [expect.any(String)],
    });
  });

  it('takes a token that it has never given for a place', async () => {
    expect(await list(`page_token=${'A'.repeat(32)}`, keys.submitter)).toEqual({ tasks: [] });
  });

  it('looks at so many jobs for one page and no more: the page is short, and goes on', async () => {
    const key = await api.makeKey({ role: 'admin', tenant: 'large' });
    const wanted = await create({ ...task, name: 'wanted' }, key);
    await api.owner.query(
      `INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
         disk_bytes, wall_time_s, inputs, outputs, created_at, state, ended_at)
       SELECT tenant, submitted_by, submitted_role, 'd', 'other', architecture, cpu_milli, memory_bytes, disk_bytes,
         wall_time_s, '[]', '[]', created_at + interval '1 hour' * (1 + n % 3), 'CANCELED', now()
       FROM job, generate_series(1, 20500) AS n WHERE id = $1`,
      [wanted],
    );
    const pages = await listAll('name_prefix=wanted', key);
    expect(pages).toEqual([[], [{ id: wanted, state: 'QUEUED' }]]);
    const all = (await listAll('page_size=2047', key)).flat().map(({ id }) => id);
    expect([all.length, new Set(all).size]).toEqual([20_501, 20_501]);
  });

  it('has fewer tasks on a page where they brought much', async () => {
    const key = await api.makeKey({ role: 'submitter' });
    const content = 'x'.repeat(1024 ** 2);
    const inputs = [1, 2, 3].map((index) => ({ content, path: `/in/${index}` }));
    for (let index = 0; index < 4; index++) await create({ ...task, inputs }, key);
    expect((await listAll('view=FULL', key)).map(({ length }) => length)).toEqual([2, 2]);
    expect((await listAll('view=MINIMAL', key)).map(({ length }) => length)).toEqual([4]);
  });

  it('has fewer tasks on a page where their executors may have printed much', async () => {
    const key = await api.makeKey({ role: 'submitter' });
    const executors = Array.from({ length: 16 }, () => executor);
    for (let index = 0; index < 66; index++) await create({ executors }, key);
    // 16 times 4 KiB of each stream.
    expect((await listAll('view=FULL', key)).map(({ length }) => length)).toEqual([62, 4]);
    expect((await listAll('view=BASIC', key)).map(({ length }) => length)).toEqual([66]);
  });

  it('of one submitter is read by an index of its own, however many others the tenant has', async () => {
    const key = await api.makeKey({ role: 'submitter' });
    const id = await create(task, key);
    const { rows } = await api.owner.query('SELECT tenant, submitted_by FROM job WHERE id = $1', [id]);
    const copies = (submitter: string, count: number) =>
      api.owner.query(
        `INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
           disk_bytes, wall_time_s, inputs, outputs, state, ended_at)
         SELECT tenant, ${submitter}, submitted_role, 'd', 'other', architecture, cpu_milli, memory_bytes, disk_bytes,
           wall_time_s, '[]', '[]', 'CANCELED', now()
         FROM job, generate_series(1, $2::integer) WHERE id = $1`,
        [id, count],
      );
    await copies('submitted_by', 1_000);
    await copies('gen_random_uuid()', 20_500);
    // The jobs of others are newer, and not looked at.
    const { tasks } = await list('page_size=2000', key);
    expect(tasks).toHaveLength(1_001);
    await api.owner.query('ANALYZE job');
    const plan = await api.owner.query(
      `EXPLAIN SELECT id FROM job WHERE tenant = '${rows[0].tenant}' AND submitted_by = '${rows[0].submitted_by}'
       AND created_at <= now() ORDER BY created_at DESC, id LIMIT 100`,
    );
    expect(JSON.stringify(plan.rows)).toContain('job_by_submitter');
  });
});

describe('errors', () => {
  it.each([
    ['get', `${TES}/tasks/nothing`, 404],
    ['get', '/v1/nothing', 404],
    ['post', `${TES}/tasks`, 400],
    ['delete', `${TES}/tasks`, 405],
  ] as const)(
    'of %s %s are told as clients of TES read them, and as RFC 9457 has them',
    async (method, path, status) => {
      const request = supertest(api.app.getHttpServer())[method](path).set('Authorization', `Bearer ${keys.submitter}`);
      const { body, headers } = await request.expect(status);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(body).toMatchObject({ status, status_code: status, title: expect.any(String), code: expect.any(String) });
      expect(body.message).toBe([body.detail, ...(body.problems ?? [])].join(' '));
      expect(body.msg).toBe(body.message);
      const elsewhere = await api.get(keys.submitter, '/api/v1/jobs/nothing').expect(400);
      expect(Object.keys(elsewhere.body)).not.toContain('message');
    },
  );

  it.each<[string, object, string]>([
    ['volumes', { ...task, volumes: ['/proc'] }, 'volumes.0: must not lie'],
    ['stdin', { executors: [{ ...executor, stdin: '/etc/passwd' }] }, 'executors.0.stdin: must be an input'],
    ['stdout', { executors: [{ ...executor, stdout: '/a' }] }, 'executors.0.stdout: must lie in a directory'],
    [
      'a directory',
      { ...task, inputs: [{ url: 'https://h/a', path: '/in', type: 'DIRECTORY' }] },
      'inputs.0.url: of a directory',
    ],
    ['no executor', {}, 'executors: '],
  ])('name the member that cannot be had: %s', async (_what, body, problem) => {
    const answer = await api.post(keys.submitter, `${TES}/tasks`, body).expect(400);
    expect(answer.body.problems).toEqual([expect.stringContaining(problem)]);
    expect(answer.body.message).toContain(problem);
  });

  it('say which URL may not be named', async () => {
    const body = { ...task, inputs: [{ url: 'https://elsewhere.example.org/a', path: '/in/a' }] };
    expect((await api.post(keys.submitter, `${TES}/tasks`, body).expect(403)).body.code).toBe('input-not-allowed');
  });

  it.each([
    ['nested beyond all bounds', `{"executors": ${'['.repeat(1_000)}${']'.repeat(1_000)}}`, 'request-too-complex'],
    ['one name twice', '{"executors": [], "executors": []}', 'malformed-request'],
    ['no object', '[]', 'invalid-request'],
    ['null', 'null', 'invalid-request'],
    ['nothing', '', 'invalid-request'],
    ['no JSON', '{', 'malformed-request'],
    [
      'a half of a character',
      '{"description": "\\ud800", "executors": [{"image": "a", "command": ["b"]}]}',
      'invalid-request',
    ],
  ])('are told for a body of %s', async (_what, body, code) => {
    const request = supertest(api.app.getHttpServer())
      .post(`${TES}/tasks`)
      .set('Authorization', `Bearer ${keys.admin}`);
    const answer = await request.set('Content-Type', 'application/json').send(body).expect(400);
    expect(answer.body).toMatchObject({ code, message: expect.any(String) });
  });
});

describe('a key as the password of Basic', () => {
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const get = (path: string, authorization: string) =>
    supertest(api.app.getHttpServer()).get(path).set('Authorization', authorization);

  it.each(['', 'anybody', 'ключ'])('of the user "%s" opens every route', async (user) => {
    for (const path of [`${TES}/tasks`, '/v1/tasks', '/service-info', '/api/v1/jobs']) {
      await get(path, basic(user, keys.submitter)).expect(200);
    }
    const { body } = await get('/api/v1/nodes', basic(user, keys.submitter));
    expect(body.code).not.toBe('api-key-invalid');
  });

  it.each([
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'same-site', Origin: 'https://other.example.org' }, 403],
    [{ Origin: 'null' }, 403],
    [{ 'Sec-Fetch-Site': 'same-origin', Origin: 'https://grid.example.org' }, 200],
    [{ 'Sec-Fetch-Site': 'none' }, 200],
  ])('that a browser sends with %j is answered %i: a form of another site cancels nothing', async (headers, status) => {
    const id = await create();
    const cancel = (authorization: string) =>
      supertest(api.app.getHttpServer())
        .post(`${TES}/tasks/${id}:cancel`)
        .set({ ...headers, Authorization: authorization, 'Content-Type': 'application/x-www-form-urlencoded' });
    const { body } = await cancel(basic('', keys.submitter).replace('Basic', 'bAsIc')).expect(status);
    if (status === 403) expect(body).toMatchObject({ code: 'cross-site-request', status_code: 403 });
    expect((await read(id, 'MINIMAL')).state).toBe(status === 403 ? 'QUEUED' : 'CANCELED');
    await cancel(`Bearer ${keys.submitter}`).expect(200);
  });

  it.each([
    ['a wrong key', () => basic('a', `porin_${'a'.repeat(43)}`)],
    ['nothing', () => basic('None', 'None')],
    ['the key as the user', () => basic(keys.submitter, '')],
    ['no base64', () => `Basic ${keys.submitter}`],
  ])('that is %s opens nothing', async (_what, authorization) => {
    const { body } = await get(`${TES}/tasks`, authorization()).expect(401);
    expect(body).toMatchObject({ code: 'api-key-invalid', status_code: 401 });
  });

  it('is asked for where clients of TES ask', async () => {
    const http = () => supertest(api.app.getHttpServer());
    const challenge = async (path: string) => (await http().get(path).expect(401)).headers['www-authenticate'];
    expect(await challenge(`${TES}/tasks`)).toBe('Bearer realm="porin", Basic realm="porin", charset="UTF-8"');
    expect(await challenge('/api/v1/jobs')).toBe('Bearer realm="porin"');
  });
});
