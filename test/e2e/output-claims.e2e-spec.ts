/** Jobs that write to the same place run in the order of their submission. */
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseOutputs } from '#lib/store';
import { startTestApi, type TestApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';

let api: TestApi;
let key: string;
let nodeId: string;

beforeAll(async () => {
  api = await startTestApi({ PORIN_OUTPUT_URL_PREFIXES: 'file:///,https://h' });
  key = await api.makeKey({ role: 'submitter' });
  nodeId = await api.worker.addNode({ slots: 10 });
});
afterAll(() => api.stop());

const executors = [{ image: 'debian:12', command: ['true'] }];
const jobOf = (...urls: string[]) => ({
  executors,
  outputs: urls.map((url, index) => ({ url, path: `/out/${index}` })),
});

async function submit(...urls: string[]): Promise<string> {
  return ((await api.post(key, '/api/v1/jobs', jobOf(...urls)).expect(201)).body as { id: string }).id;
}

async function reasons(...ids: string[]): Promise<unknown[]> {
  const jobs = await Promise.all(ids.map((id) => api.get(key, `/api/v1/jobs/${id}`).expect(200)));
  return jobs.map(({ body }) => (body as { waitingReason: string }).waitingReason);
}

const cancel = (id: string) => api.post(key, `/api/v1/jobs/${id}/cancel`).expect(200);
const [SLOT, OUTPUT] = ['waiting-for-slot', 'waiting-for-output'];

describe('jobs that write to the same place', () => {
  it.each([
    ['equal', 'file:///w/a', 'file:///w/a'],
    ['another spelling', 'file:///w/b', 'FILE:///w/%62'],
    ['below', 'file:///w/c', 'file:///w/c/d/e'],
    ['above', 'file:///w/d/e/f', 'file:///w/d'],
    ['over HTTP', 'https://h/a?x=1', 'https://other@h/a?x=1'],
    ['for servers that decode', 'https://h/s%2Fb', 'https://h//s/b;v=1'],
    ['with and without a query', 'https://h/q', 'https://h/q?x=1'],
  ])('wait for one another: %s', async (_what, first, second) => {
    const earlier = await submit(first);
    const [later, latest] = [await submit(second), await submit(second, `file:///else/${randomUUID()}`)];
    expect(await reasons(earlier, later, latest)).toEqual([SLOT, OUTPUT, OUTPUT]);
    await cancel(earlier);
    await eventually(async () => expect(await reasons(later, latest)).toEqual([SLOT, OUTPUT]));
    await cancel(later);
    await eventually(async () => expect(await reasons(latest)).toEqual([SLOT]));
    await cancel(latest);
  });

  it('do not wait beside one another', async () => {
    const urls = ['file:///n/a', 'file:///n/ab', 'file:///n/b/a', 'https://h/n?x=1', 'https://h/n?x=2', 'https://h/m'];
    const ids = [];
    for (const url of urls) ids.push(await submit(url));
    expect(await reasons(...ids)).toEqual(urls.map(() => SLOT));
    for (const id of ids) await cancel(id);
  });

  it('wait for all that stand in their way, and go together where they are not in each other’s', async () => {
    const upper = await submit('file:///t/u');
    const other = await submit('file:///t/o');
    const [one, two] = [await submit('file:///t/u/1'), await submit('file:///t/u/2', 'file:///t/o')];
    expect(await reasons(one, two)).toEqual([OUTPUT, OUTPUT]);
    await cancel(upper);
    await eventually(async () => expect(await reasons(one, two)).toEqual([SLOT, OUTPUT]));
    await cancel(other);
    await eventually(async () => expect(await reasons(two)).toEqual([SLOT]));
    for (const id of [one, two]) await cancel(id);
  });

  it('go when the earlier one ends in whatever way, and not before: it may be tried again', async () => {
    const ends = ['COMPLETE', 'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELED'] as const;
    for (const end of ends) {
      const url = `file:///ends/${end}`;
      const [earlier, later] = [await submit(url), await submit(url)];
      const attempt = await api.worker.claim(earlier, nodeId);
      expect(await reasons(later)).toEqual([OUTPUT]);
      await api.worker.setJob(earlier, end);
      await api.worker.endAttempt(attempt, end === 'COMPLETE' ? 'COMPLETE' : 'FAILED');
      await eventually(async () => expect(await reasons(later)).toEqual([SLOT]));
      await cancel(later);
    }
  });

  it('may be canceled while they wait, which lets those behind them wait for the first alone', async () => {
    const ids = [await submit('file:///c/a'), await submit('file:///c/a'), await submit('file:///c/a')];
    const [first = '', second = '', third = ''] = ids;
    await cancel(second);
    await api.dispatcherHasLooked();
    expect(await reasons(third)).toEqual([OUTPUT]);
    await cancel(first);
    await eventually(async () => expect(await reasons(third)).toEqual([SLOT]));
    await cancel(third);
  });

  it('are in one order however many come at once', async () => {
    const url = 'file:///race/a';
    const ids = await Promise.all(Array.from({ length: 20 }, () => submit(url)));
    const order = [];
    for (const left = new Set(ids); left.size > 0;) {
      const free: string[] = [];
      await eventually(async () => {
        const now = await reasons(...left);
        free.splice(0, free.length, ...[...left].filter((_, index) => now[index] === SLOT));
        expect(free).toHaveLength(1);
      });
      const [next = ''] = free;
      order.push(next);
      left.delete(next);
      await cancel(next);
    }
    expect(order.toSorted()).toEqual(ids.toSorted());
  });

  it('are let go in milliseconds behind ten thousand others', async () => {
    const first = await submit('file:///many/a');
    await api.owner.query(
      `WITH made AS (
         INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
           disk_bytes, wall_time_s, inputs, outputs, waiting_reason, idempotency_key)
         SELECT tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
           disk_bytes, wall_time_s, inputs, outputs, 'waiting-for-output', 'many-' || n
         FROM job, generate_series(1, 10000) AS n WHERE id = $1 RETURNING id
       )
       INSERT INTO job_output_claim (key, number, job_id)
       SELECT key, nextval('job_output_claim_number'), made.id FROM made, job_output_claim WHERE job_id = $1`,
      [first],
    );
    await api.owner.query('ANALYZE job_output_claim');
    const manager = api.app.get(DataSource).manager;
    const waiting = async () =>
      (
        await manager.query<{ count: number }[]>(
          `SELECT count(*)::integer AS count FROM job WHERE waiting_reason = 'waiting-for-output'`,
        )
      )[0]?.count;
    expect(await waiting()).toBe(10_000);
    const startedAt = performance.now();
    await submit('file:///many/a');
    await manager.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE id = $1`, [first]);
    await manager.transaction(releaseOutputs);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await eventually(async () => expect(await waiting()).toBe(10_000));
    await manager.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE ended_at IS NULL`);
    await eventually(async () => expect(await manager.query('SELECT FROM job_output_claim LIMIT 1')).toEqual([]));
  });
});

describe('an output’s URL', () => {
  it.each([
    ['file:///o/s#1.txt', 'outputs[0].url: must not contain a raw "#": write %23'],
    ['file:///o/s?1.txt', 'outputs[0].url: must not contain a raw "?": write %3F'],
    ['file:///o/100%', 'outputs[0].url: has a "%" that begins no escape: write %25'],
    ['file:///o/x\\y', 'outputs[0].url: must not contain a raw "\\": write %5C, or "/" between directories'],
    ['file:///o/a\nb', 'outputs[0].url: must not contain the raw control character U+000A: write %0A'],
    ['https://h/a#b', 'outputs[0].url: must not contain a raw "#": write %23'],
  ])('%j is refused at submission, with what to write', async (url, problem) => {
    const { body } = await api.post(key, '/api/v1/jobs', jobOf(url)).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request' });
    expect(JSON.stringify((body as { problems: string[] }).problems)).toContain(JSON.stringify(problem).slice(13, -1));
  });

  it('is refused twice in one job', async () => {
    const { body } = await api.post(key, '/api/v1/jobs', jobOf('file:///o/a', 'file:///o/%61')).expect(400);
    expect(JSON.stringify(body)).toContain('is the target of outputs[0].url too');
  });

  it('is refused outside the prefixes of the grid, as an input’s is', async () => {
    const refused = await api.post(key, '/api/v1/jobs', jobOf('https://elsewhere/a')).expect(403);
    expect(refused.body).toMatchObject({
      code: 'output-not-allowed',
      detail: 'Outputs may not go to https://elsewhere/a. Allowed prefixes: file:///, https://h/',
    });
    const input = { executors, inputs: [{ url: 'https://h/a', path: '/in/a' }] };
    expect((await api.post(key, '/api/v1/jobs', input).expect(403)).body).toMatchObject({ code: 'input-not-allowed' });
  });
});
