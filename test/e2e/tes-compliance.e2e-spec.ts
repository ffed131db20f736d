/** What GA4GH's compliance suite (openapi-test-runner 0.1.0) checks of a server of TES 1.1.0, by the names of its tests. */
import { randomUUID } from 'node:crypto';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importAlpineImage } from '../support/alpine-image.js';
import { eventually } from '../support/eventually.js';
import { FINAL, Grid } from '../support/grid.js';

const BASE = '/ga4gh/tes/v1';
/** There is no such bucket: a task that names it is created all the same. */
const STORE = 's3://my-object-store';
const PREFIXES = `file:///,${STORE}/`;

let grid: Grid;
let key: string;

beforeAll(async () => {
  grid = await Grid.start({ PORIN_INPUT_URL_PREFIXES: PREFIXES, PORIN_OUTPUT_URL_PREFIXES: PREFIXES });
  key = await grid.api.makeKey({ role: 'submitter' });
  await importAlpineImage(grid.docker);
  await grid.startWorker('node-a');
});
afterAll(() => grid.stop());

interface Task {
  readonly id: string;
  readonly state: string;
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly executors?: readonly object[];
  readonly logs?: readonly { readonly logs: readonly object[] }[];
}

const executor = { image: 'alpine', command: ['echo', 'hello'] };
const task = { name: 'CompTest', description: 'CompTest', executors: [executor] };

/** As the suite, which has no credentials but those of a URL. */
const ask = (method: 'get' | 'post', path: string) =>
  supertest(grid.api.app.getHttpServer())[method](`${BASE}${path}`).auth('any', key).set('Accept', 'application/json');
const create = async (body: object = task): Promise<string> =>
  (await ask('post', '/tasks').send(body).expect(200)).body.id;
const get = async (id: string, view: string): Promise<Task> =>
  (await ask('get', `/tasks/${id}?view=${view}`).expect(200)).body;
const list = async (query: string): Promise<{ tasks: Task[]; next_page_token?: string }> =>
  (await ask('get', `/tasks?${query}`).expect(200)).body;
const ended = async (id: string): Promise<Task> => {
  await eventually(async () => expect(FINAL).toContain((await get(id, 'MINIMAL')).state));
  return get(id, 'FULL');
};

it('service_info: has the members that GA4GH’s service-info requires', async () => {
  const { body } = await ask('get', '/service-info').expect(200);
  expect(body).toMatchObject({
    id: expect.stringMatching(/./),
    name: expect.stringMatching(/./),
    type: { group: 'org.ga4gh', artifact: 'tes', version: '1.1.0' },
    organization: { name: expect.stringMatching(/./), url: expect.stringMatching(/^https?:\/\/./) },
    version: expect.stringMatching(/./),
  });
});

describe('create_task', () => {
  it('answers 200 and an id', async () => {
    expect((await ask('post', '/tasks').send(task).expect(200)).body).toEqual({ id: expect.stringMatching(/./) });
  });

  it('functional: runs the task to its end', async () => {
    expect((await ended(await create())).state).toBe('COMPLETE');
  });

  it.each<[string, object]>([
    ['inputs', { inputs: [{ url: `${STORE}/file-1`, path: '/data/file1', type: 'FILE' }] }],
    ['outputs', { outputs: [{ url: `${STORE}/outfile-1`, path: '/data/outfile', type: 'FILE' }] }],
    [
      'optional_filetype',
      {
        inputs: [{ url: `${STORE}/file-1`, path: '/data/file1' }],
        outputs: [{ url: `${STORE}/outfile-1`, path: '/data/outfile' }],
      },
    ],
    [
      'streamable',
      { inputs: [{ name: 'file', description: 'd', url: `${STORE}/file1`, path: '/data/file1', streamable: true }] },
    ],
    ['backend_parameters', { resources: { backend_parameters: { VmSize: 'l', Caching: 'rw' } } }],
    [
      'backend_parameters that are not strict',
      { resources: { backend_parameters: { VmSize: 'l' }, backend_parameters_strict: false } },
    ],
  ])('%s: answers 200', async (_what, more) => {
    expect(await create({ ...task, ...more })).toMatch(/./);
  });

  it('backend_parameters_negative: answers 400', async () => {
    const resources = { backend_parameters: { INVALID: 'PARAMETER' }, backend_parameters_strict: true };
    await ask('post', '/tasks')
      .send({ ...task, resources })
      .expect(400);
  });

  it.each([
    [false, 'EXECUTOR_ERROR', 1],
    [true, 'COMPLETE', 2],
  ])(
    'ignore_error: of two executors whose first fails, with %s, the task ends %s with %i logs',
    async (ignores, state, count) => {
      const failing = { image: 'alpine', command: ['ERROR'], ignore_error: ignores };
      const { state: last, logs } = await ended(await create({ ...task, executors: [failing, executor] }));
      expect([last, logs?.[0]?.logs.length]).toEqual([state, count]);
    },
  );
});

describe('get_task', () => {
  it('minimal: has the id and the state, and nothing else', async () => {
    const id = await create();
    expect(await get(id, 'MINIMAL')).toEqual({ id, state: expect.any(String) });
  });

  it.each(['BASIC', 'FULL'])('%s: has what was asked for', async (view) => {
    const id = await create();
    expect(await get(id, view)).toMatchObject({ ...task, id, creation_time: expect.any(String) });
  });
});

describe('cancel_task', () => {
  it('answers 200 and an empty object', async () => {
    const { body } = await ask('post', `/tasks/${await create()}:cancel`).expect(200);
    expect(body).toEqual({});
  });

  it('functional: the task is CANCELED', async () => {
    const id = await create({ ...task, executors: [{ image: 'alpine', command: ['sleep', '600'] }] });
    await ask('post', `/tasks/${id}:cancel`).expect(200);
    await eventually(async () => expect((await get(id, 'MINIMAL')).state).toBe('CANCELED'));
  });
});

describe('list_tasks', () => {
  it.each(['MINIMAL', 'BASIC', 'FULL'])('%s: has tasks of that view', async (view) => {
    const id = await create();
    const { tasks } = await list(`view=${view}`);
    expect(tasks[0]).toEqual(view === 'MINIMAL' ? { id, state: expect.any(String) } : expect.objectContaining(task));
  });

  it('page_size: has no more tasks than that', async () => {
    await create();
    await create();
    expect((await list('view=MINIMAL&page_size=1')).tasks).toHaveLength(1);
    expect((await list('view=MINIMAL&page_size=2')).tasks).toHaveLength(2);
  });

  it('page_token: goes on behind the page that had it', async () => {
    await create();
    await create();
    const first = await list('view=MINIMAL&page_size=1');
    const second = await list(`view=MINIMAL&page_size=1&page_token=${first.next_page_token}`);
    expect(second.tasks).toHaveLength(1);
    expect(second.tasks[0]?.id).not.toBe(first.tasks[0]?.id);
  });
});

describe('filter_task', () => {
  it('by_name: finds by the whole name and by its beginning, and not by its end', async () => {
    const word = randomUUID();
    await create({ ...task, name: `${word}-ComplianceTest` });
    const named = async (prefix: string) =>
      (await list(`view=BASIC&name_prefix=${prefix}`)).tasks.map(({ name }) => name);
    expect(await named(`${word}-ComplianceTest`)).toEqual([`${word}-ComplianceTest`]);
    expect(await named(word)).toEqual([`${word}-ComplianceTest`]);
    const last = randomUUID();
    await create({ ...task, name: `ComplianceTest-${last}` });
    expect(await named(last)).toEqual([]);
  });

  it('by_state: finds tasks of that state', async () => {
    const { id } = await ended(await create());
    const { tasks } = await list('view=MINIMAL&state=COMPLETE');
    expect(tasks.map((each) => each.id)).toContain(id);
    expect(new Set(tasks.map(({ state }) => state))).toEqual(new Set(['COMPLETE']));
  });

  const tags = { foo: 'bar', baz: 'bat', lorem: 'ipsum', task: 'create' };
  it.each([
    [
      'all pairs in another order',
      'tag_key=foo&tag_key=lorem&tag_key=task&tag_key=baz&tag_value=bar&tag_value=ipsum&tag_value=create&tag_value=bat',
      true,
    ],
    ['a key without a value', 'tag_key=foo&tag_key=lorem&tag_key=baz&tag_value=bar&tag_value=ipsum', true],
    ['a key that the task has not', 'tag_key=foo&tag_key=lorem&tag_key=extra&tag_value=bar&tag_value=ipsum', false],
    ['another value', 'tag_key=foo&tag_value=wrong_value', false],
    ['a key that no task has', 'tag_key=tag_key_not_defined&tag_value=tag_value_not_defined', false],
  ])('by_tag: %s', async (_what, query, isFound) => {
    await create({ ...task, tags });
    const { tasks } = await list(`view=BASIC&${query}`);
    if (isFound) expect(tasks[0]?.tags).toEqual(tags);
    else expect(tasks).toEqual([]);
  });

  it('by_tag: a tag whose value is empty', async () => {
    await create({ ...task, tags: { abcxyz: '' } });
    expect((await list('view=BASIC&tag_key=abcxyz')).tasks[0]?.tags).toEqual({ abcxyz: '' });
  });
});
