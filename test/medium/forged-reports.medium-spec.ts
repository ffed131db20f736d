/** What a stolen node may write of its own jobs: nothing that another node or the API could be harmed by when it reads it. */
import { randomUUID } from 'node:crypto';
import { makeDataSource } from '#lib/database';
import { type DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { countDenials } from '../../apps/api/src/jobs/show/count-denials.js';
import { childUrl } from '#lib/jobs';
import { foldUsage, tenantUsage } from '#lib/store';
import { call, CHECK_VIOLATION, code, type HeldJob, pin, startRun, TwoNodes } from '../support/stolen-node.js';

const MAXIMUM = Number.MAX_SAFE_INTEGER;
const MIB = 1024 ** 2;
const SHA256 = '0'.repeat(64);
const OUTPUTS = [
  { path: '/out/a', url: 'file:///data/a' },
  { path: '/out/b', url: 'https://store/b' },
];

let two: TwoNodes;
let dataSource: DataSource;

beforeAll(async () => {
  two = await TwoNodes.make();
  dataSource = await makeDataSource({ url: two.database.apiUrl, applicationName: 'test' }).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await two.end();
});
beforeEach(() => two.loseThiefsAttempts());

const thief = <T>(name: string, input: object, ...more: unknown[]) => call<T>(two.thief.client, name, input, ...more);

describe('the manifest of a node', () => {
  it('says to the next attempt which upload an output to S3 is', async () => {
    const outputs = [
      { path: '/out/a', url: 's3://bucket/a' },
      { path: '/out/b', url: 'https://store/b' },
    ];
    const { jobId } = await two.running(two.thief, { outputs, diskBytes: 10 });
    const key = { jobId, number: 1, leaseMs: 600_000 };
    await thief('node_begin_staging', { ...key, token: 'its-token' });
    const manifest = outputs.map((output, index) => ({
      ...output,
      ...{ sha256: SHA256, bytes: 4, temporary: `.porin-its-token-${index}.part` },
    }));
    const committed = manifest.map((line, index) => (index === 0 ? { ...line, upload: 'an-id' } : line));
    expect(await thief('node_commit_publication', { ...key, end: null, manifest: committed })).toBe('held');
    await thief('node_fail_publication', {
      jobId,
      number: 1,
      code: 'output-upload-failed',
      message: 'm',
      published: [],
    });
    await two.owner.query(`UPDATE job SET state = 'QUEUED', fence = 2, dispatched_fence = 2 WHERE id = $1`, [jobId]);
    const claim = await thief<{ publication: { outputs: unknown } }>('node_claim', {
      jobId,
      attempt: 2,
      leaseMs: 600_000,
    });
    expect(claim.publication.outputs).toEqual(committed.map((line) => ({ ...line, isPublished: false })));
  });
});

describe('the files of a directory or pattern, as a stolen node tells them', () => {
  const outputs = [
    { path: '/out', url: 'file:///data/d', type: 'DIRECTORY' },
    { path: '/tmp/*/a', pathPrefix: '/tmp', url: 'https://store/p' },
    { path: '/vol/one', url: 'file:///data/one' },
  ];
  const key = { number: 1, leaseMs: 600_000 };
  const begin = (jobId: string, files: unknown) =>
    thief('node_begin_staging', { ...key, jobId, token: 'its-token', files });
  const one = { output: 2, path: '/vol/one', url: 'file:///data/one' };
  const staged = (files: readonly { path: string; url: string }[]) =>
    files.map(({ path, url }, index) => {
      return { path, url, sha256: SHA256, bytes: 1, temporary: `.porin-its-token-${index}.part` };
    });

  it.each([
    [{ output: 0, path: '/out/../etc/a', url: 'file:///data/d/../etc/a' }],
    [{ output: 0, path: '/out/./a', url: 'file:///data/d/./a' }],
    [{ output: 0, path: '/out//a', url: 'file:///data/d//a' }],
    [{ output: 0, path: '/out/', url: 'file:///data/d/' }],
    [{ output: 0, path: '/out', url: 'file:///data/d' }],
    [{ output: 0, path: '/outer/a', url: 'file:///data/d/a' }],
    [{ output: 0, path: '/out/a', url: 'file:///data/d/b' }],
    [{ output: 0, path: '/out/a', url: 'file:///data/da' }],
    [{ output: 0, path: '/out/a%2F..', url: 'file:///data/d/a%2F..' }],
    [{ output: 0, path: '/out/a b', url: 'file:///data/d/a b' }],
    [{ output: 1, path: '/out/a', url: 'https://store/p/a' }],
    [{ output: 2, path: '/vol/one/a', url: 'file:///data/one/a' }],
    [{ output: 2, path: '/vol/one', url: 'file:///data/d/one' }],
    [{ output: 3, path: '/out/a', url: 'file:///data/d/a' }],
    [{ output: -3, path: '/out/a', url: 'file:///data/d/a' }],
    [{ path: '/out/a', url: 'file:///data/d/a' }],
    [{ output: 0, path: '/out/a', url: null }],
  ])('lie below their output and its URL: not %j', async (file) => {
    const { jobId } = await two.running(two.thief, { outputs, diskBytes: 10 });
    expect(await code(begin(jobId, [one, file]))).toBe(CHECK_VIOLATION);
    expect(await code(begin(jobId, { ...file }))).not.toBe('no error');
  });

  it.each(['a', 'a b/c', '#?%\\', 'line\nfeed', 'größe 𝄞', "!'()*~._-", '%2F', '\x7f\x01'])(
    'have the URL that workers make of %j',
    async (rest) => {
      const { jobId } = await two.running(two.thief, { outputs, diskBytes: 10 });
      expect(await begin(jobId, [{ output: 0, path: `/out/${rest}`, url: childUrl('file:///data/d', rest) }])).toBe(
        true,
      );
      expect(await begin(jobId, [{ output: 1, path: `/tmp/${rest}`, url: childUrl('https://store/p', rest) }])).toBe(
        true,
      );
    },
  );

  it('are all of the manifest, once each, with every output that is one file', async () => {
    const files = [one, { output: 0, path: '/out/a', url: 'file:///data/d/a' }];
    const { jobId } = await two.running(two.thief, { outputs, diskBytes: 10 });
    const commit = (manifest: unknown) => thief('node_commit_publication', { ...key, jobId, end: null, manifest });
    expect(await code(begin(jobId, [one, one]))).toBe(CHECK_VIOLATION);
    await begin(jobId, files);
    expect(await code(commit(staged(files).slice(1)))).toBe(CHECK_VIOLATION);
    expect(await code(commit(staged([...files].reverse())))).toBe(CHECK_VIOLATION);
    expect(await code(commit(staged([one, { path: '/out/b', url: 'file:///data/d/b' }])))).toBe(CHECK_VIOLATION);
    await begin(jobId, files.slice(1));
    expect(await code(commit(staged(files.slice(1))))).toBe(CHECK_VIOLATION);
    await begin(jobId, files);
    expect(await commit(staged(files))).toBe('held');
    const { rows } = await two.owner.query('SELECT path, position FROM job_output WHERE job_id = $1 ORDER BY path', [
      jobId,
    ]);
    expect(rows).toEqual([
      { path: '/out/a', position: 0 },
      { path: '/vol/one', position: 2 },
    ]);
  });

  it('are those of several outputs, each of which has its own copy', async () => {
    const both = [
      { path: '/out/a', url: 'file:///data/one' },
      { path: '/out', url: 'file:///data/d', type: 'DIRECTORY' },
    ];
    const { jobId } = await two.running(two.thief, { outputs: both, diskBytes: 10 });
    const files = [
      { output: 0, path: '/out/a', url: 'file:///data/one' },
      { output: 1, path: '/out/a', url: 'file:///data/d/a' },
    ];
    await begin(jobId, files);
    const tell = (name: string, values: object) => thief(name, { ...key, jobId, ...values });
    const tooLarge = staged(files).map((line) => ({ ...line, bytes: 6 }));
    expect(await code(tell('node_commit_publication', { end: null, manifest: tooLarge }))).toBe(CHECK_VIOLATION);
    expect(await tell('node_commit_publication', { end: null, manifest: staged(files) })).toBe('held');
    const inPlace = async () => {
      const { rows } = await two.owner.query<{ url: string }>(
        'SELECT url FROM job_output WHERE job_id = $1 AND published_at IS NOT NULL ORDER BY position',
        [jobId],
      );
      return rows.map(({ url }) => url);
    };
    expect(await tell('node_go_on_publishing', { published: ['file:///data/d/a'] })).toBe(true);
    expect(await inPlace()).toEqual(['file:///data/d/a']);
    expect(await tell('node_complete_publication', { published: [], leavesBytes: false })).toBe(false);
    const rest = { published: ['file:///data/one'], leavesBytes: false };
    expect(await tell('node_complete_publication', rest)).toBe(true);
    expect(await inPlace()).toEqual(['file:///data/one', 'file:///data/d/a']);
  });

  it('may be none', async () => {
    const { jobId } = await two.running(two.thief, { outputs: outputs.slice(0, 2), diskBytes: 10 });
    await begin(jobId, []);
    expect(await thief('node_commit_publication', { ...key, jobId, end: null, manifest: [] })).toBe('held');
  });
});

describe('the manifest of a stolen node', () => {
  const rows = (...changes: readonly object[]) =>
    OUTPUTS.map((output, index) => {
      const staged = { ...output, sha256: SHA256, bytes: 4, temporary: `.porin-its-token-${index}.part` };
      return { ...staged, ...changes[index] };
    });
  const commit = (jobId: string, manifest: unknown, end: object | null = null) =>
    thief('node_commit_publication', { jobId, number: 1, leaseMs: 600_000, end, manifest });

  async function stagedJob(): Promise<HeldJob> {
    const job = await two.running(two.thief, { outputs: OUTPUTS, diskBytes: 10 });
    await thief('node_begin_staging', { jobId: job.jobId, number: 1, leaseMs: 600_000, token: 'its-token' });
    return job;
  }

  it.each(
    [
      '../../../../etc/shadow',
      '/etc/shadow',
      'a',
      '.',
      '..',
      '',
      null,
      '.porin-its-token-1.part',
      '.porin-its-token-0.part/../a',
      '.porin-its-token-0.part\n',
      '.porin-another-token-0.part',
    ].map((temporary) => [temporary]),
  )('names no other staged bytes than its own: %j', async (temporary) => {
    const { jobId } = await stagedJob();
    expect(await code(commit(jobId, rows({ temporary })))).toBe(CHECK_VIOLATION);
  });

  it.each([
    [{ sha256: 'x' }],
    [{ sha256: SHA256.toUpperCase().replace('0', 'A') }],
    [{ sha256: null }],
    [{ bytes: -1 }],
    [{ bytes: 7 }],
    [{ bytes: null }],
    [{ url: 'file:///data/b' }],
    [{ url: null }],
    [{ path: '/out/b' }],
    [{ path: '/etc/shadow' }],
    [{ path: '/out/b', url: 'https://store/b' }],
    [{ upload: 'an upload, of a file' }],
  ])('is of the job’s outputs, and of bytes that its disk holds: not %j', async (change) => {
    const { jobId } = await stagedJob();
    expect(await code(commit(jobId, rows(change)))).toBe(CHECK_VIOLATION);
  });

  it('has all of them, each once, and follows a staging', async () => {
    const { jobId } = await stagedJob();
    const [first] = rows();
    expect(await code(commit(jobId, [first]))).toBe(CHECK_VIOLATION);
    expect(await code(commit(jobId, [first, first]))).toBe(CHECK_VIOLATION);
    await two.loseThiefsAttempts();
    const unstaged = await two.running(two.thief, { outputs: OUTPUTS, diskBytes: 10 });
    expect(await code(commit(unstaged.jobId, rows()))).toBe(CHECK_VIOLATION);
  });

  it('reaches the next node as it was staged, in the order of the job, also in part', async () => {
    const { jobId } = await stagedJob();
    expect(await commit(jobId, rows().slice(1), { code: 'exit-code', message: 'm' })).toBe('held');
    await thief('node_fail_publication', {
      jobId,
      number: 1,
      code: 'output-upload-failed',
      message: 'm',
      published: [],
    });
    await two.owner.query(
      `UPDATE job SET state = 'QUEUED', fence = 2, dispatched_fence = 2, placed_node_id = $2 WHERE id = $1`,
      [jobId, two.victim.id],
    );
    const claim = await call<{ publication: unknown }>(two.victim.client, 'node_claim', {
      jobId,
      attempt: 2,
      leaseMs: 0,
    });
    expect(claim.publication).toEqual({ outputs: [{ ...rows()[1], isPublished: false }] });
  });
});

/** Of the run's row. */
async function rowOf(runId: string): Promise<Record<string, unknown>> {
  const { rows } = await two.owner.query<Record<string, unknown>>('SELECT * FROM executor_run WHERE id = $1', [runId]);
  return rows[0] ?? {};
}

const finish = (runId: string, { result = {}, ...more }: { result?: object } & Record<string, unknown> = {}) =>
  thief('node_finish_run', {
    ...{ runId, artifacts: [], denials: [], phasesMs: { payload: 1 } },
    result: { outcome: 'exited', exitCode: 0, landlockStatus: 'NOT_ENFORCED', denialsDropped: 0, ...result },
    ...more,
  });

describe('the numbers of a run', () => {
  const COLUMNS = {
    wallUs: 'wall_us',
    userUs: 'user_us',
    systemUs: 'system_us',
    maxRssBytes: 'max_rss_bytes',
    voluntarySwitches: 'voluntary_switches',
    involuntarySwitches: 'involuntary_switches',
    callCount: 'call_count',
    denialsDropped: 'denials_dropped',
  };

  it.each([
    [-1, '0'],
    [-1e300, '0'],
    [9.3e18, String(MAXIMUM)],
    [1e300, String(MAXIMUM)],
    ['NaN', String(MAXIMUM)],
  ])('are numbers that JSON tells, none of them %j', async (said, stored) => {
    const { runId } = await two.running(two.thief);
    const result = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, said]));
    expect(await finish(runId, { result })).toBe(true);
    const row = await rowOf(runId);
    for (const column of Object.values(COLUMNS)) expect([column, row[column]]).toEqual([column, stored]);
  });

  it('stay unknown where nothing was measured, and end as programs end', async () => {
    const { runId } = await two.running(two.thief);
    expect(await code(finish(runId, { result: { exitCode: 256 } }))).toBe(CHECK_VIOLATION);
    expect(await code(finish(runId, { result: { exitCode: -1 } }))).toBe(CHECK_VIOLATION);
    expect(await code(finish(runId, { result: { exitCode: null, signal: 65 } }))).toBe(CHECK_VIOLATION);
    expect(await finish(runId, { result: { exitCode: null, signal: 9, wallUs: null } })).toBe(true);
    expect(await rowOf(runId)).toMatchObject({ wall_us: null, max_rss_bytes: null, exit_code: null, signal: 9 });
  });

  it('have phases that are times', async () => {
    const { runId, jobId } = await two.running(two.thief);
    const phasesMs = { queue: 'NaN', stage: -5, create: 1e300, start: {}, payload: 1.5, remove: null, forged: 1 };
    expect(await finish(runId, { phasesMs })).toBe(true);
    await thief('node_add_phases', { jobId, runId, phasesMs: { upload: 'Infinity' } });
    expect((await rowOf(runId)).phases_ms).toEqual({ stage: 0, create: 366 * 24 * 3600 * 1000, payload: 1.5 });
  });

  it('have a recording whose gaps are texts', async () => {
    const { runId } = await two.running(two.thief);
    const partialReasons = [null, 1, {}, 'x'.repeat(100_000), ...Array<string>(1000).fill('y')];
    expect(await finish(runId, { recording: { partialReasons }, recordingDigest: 'd' })).toBe(true);
    const { rows } = await two.owner.query<{ reasons: string[] }>(
      'SELECT partial_reasons AS reasons FROM recording WHERE executor_run_id = $1',
      [runId],
    );
    expect(rows[0]?.reasons).toEqual(['x'.repeat(1000), ...Array<string>(99).fill('y')]);
  });
});

describe('the inputs that a node had already', () => {
  const held = async () => {
    const { jobId, applicationId } = await two.claimed(two.thief);
    await two.owner.query(`UPDATE job SET inputs = '[{"path":"/in/a"},{"path":"/in/b"}]' WHERE id = $1`, [jobId]);
    const buildId = (await pin(two.thief.client, jobId, applicationId))?.id ?? '';
    return { jobId, buildId };
  };
  const stored = async (jobId: string): Promise<unknown> =>
    (
      await two.owner.query<{ cached: unknown }>('SELECT cached_inputs AS cached FROM attempt WHERE job_id = $1', [
        jobId,
      ])
    ).rows[0]?.cached;

  it.each<[unknown, unknown]>([
    [[{ input: 1, bytes: 5 }], [{ input: 1, bytes: 5 }]],
    [
      [
        { input: 1, bytes: 5, more: 'x'.repeat(1000) },
        { input: 0, bytes: 1.4 },
        { input: 1, bytes: 7 },
      ],
      'each once',
    ],
    [[{ input: 0, bytes: 1e300 }], [{ input: 0, bytes: MAXIMUM }]],
    [[{ input: 0, bytes: -1 }], [{ input: 0, bytes: 0 }]],
    [
      [
        { input: 2, bytes: 1 },
        { input: -1, bytes: 1 },
        { input: 1e300, bytes: 1 },
        { input: '0', bytes: 1 },
      ],
      [],
    ],
    [[{ input: 0, bytes: 'NaN' }, { input: 1, bytes: null }, { bytes: 1 }, { input: 0 }], []],
    [[null, 1, 'x', [], {}], []],
    [{ input: 0, bytes: 1 }, []],
    ['x', []],
    [null, []],
  ])('are of the job, and bytes that JSON tells: %j', async (cachedInputs, expected) => {
    const { jobId, buildId } = await held();
    await startRun(two.thief.client, { jobId, buildId }, { id: randomUUID(), cachedInputs });
    const once = [
      { input: 0, bytes: 1 },
      { input: 1, bytes: 5 },
    ];
    expect(await stored(jobId)).toEqual(expected === 'each once' ? once : expected);
  });

  it('are told once, and not of an attempt that is over', async () => {
    const { jobId, buildId } = await held();
    const told = (bytes: number) => ({ id: randomUUID(), cachedInputs: [{ input: 0, bytes }] });
    await two.owner.query(
      `INSERT INTO executor (job_id, position, application_id, image, command, build_id)
       SELECT job_id, 1, application_id, image, command, build_id FROM executor WHERE job_id = $1`,
      [jobId],
    );
    for (const position of [0, 1]) {
      await startRun(two.thief.client, { jobId, buildId }, { ...told(1 + position), position });
    }
    expect(await stored(jobId)).toEqual([{ input: 0, bytes: 1 }]);
    const over = await held();
    await thief('node_fail', { jobId: over.jobId, number: 1, code: 'exit-code', message: 'm' });
    expect(await startRun(two.thief.client, over, told(1))).toEqual({ open: false, started: false });
    expect(await stored(over.jobId)).toEqual([]);
  });
});

describe('what a tenant stores', () => {
  /** In its tests' own tenant. */
  const storedBytes = async () => {
    await foldUsage(dataSource.manager);
    return (await tenantUsage(dataSource.manager, 't')).storedBytes;
  };
  const append = (runId: string, offset: number, bytes: number) =>
    thief('node_append_artifact', { runId, kind: 'stdout', offset }, Buffer.alloc(bytes));
  const bytesOf = async (runId: string) => {
    const { rows } = await two.owner.query<{ kind: string; bytes: string }>(
      'SELECT kind, bytes FROM artifact WHERE executor_run_id = $1 ORDER BY kind DESC',
      [runId],
    );
    return Object.fromEntries(rows.map(({ kind, bytes }) => [kind, Number(bytes)]));
  };

  it('is what there is of its logs, whatever their node says', async () => {
    const before = await storedBytes();
    const { runId } = await two.running(two.thief);
    await append(runId, 0, 1000);
    await append(runId, 1000, 500);
    const said = { kind: 'stdout', bytes: 9.2e18, droppedBytes: 1e300, sha256: 'forged', truncated: null };
    expect(await finish(runId, { artifacts: [said] })).toBe(true);
    expect(await bytesOf(runId)).toEqual({ stdout: 1500, stderr: 0 });
    expect((await storedBytes()) - before).toBe(1500);
  });

  it('is so too where the node does not name them, or ends without the run, or goes on after that', async () => {
    const before = await storedBytes();
    const unnamed = await two.running(two.thief);
    await append(unnamed.runId, 0, 10);
    expect(await finish(unnamed.runId)).toBe(true);
    expect((await storedBytes()) - before).toBe(10);
    const unfinished = await two.running(two.thief);
    await append(unfinished.runId, 0, 100);
    await thief('node_fail', { jobId: unfinished.jobId, number: 1, code: 'exit-code', message: 'm' });
    expect((await storedBytes()) - before).toBe(110);
    await append(unfinished.runId, 100, 1000);
    expect((await storedBytes()) - before).toBe(1110);
    await finish(unfinished.runId);
    expect((await storedBytes()) - before).toBe(1110);
  });

  it('is folded whatever was noted, and told as a number that JSON has', async () => {
    const tenant = randomUUID();
    const note = (bytes: string) =>
      two.owner.query('INSERT INTO tenant_usage_change (tenant, stored_bytes) VALUES ($1, $2), ($1, $2)', [
        tenant,
        bytes,
      ]);
    for (let turn = 0; turn < 3; turn++) {
      await note('9223372036854775807');
      expect((await tenantUsage(dataSource.manager, tenant)).storedBytes).toBe(MAXIMUM);
      await foldUsage(dataSource.manager);
      expect((await tenantUsage(dataSource.manager, tenant)).storedBytes).toBe(MAXIMUM);
    }
    await note('-9223372036854775807');
    await foldUsage(dataSource.manager);
    expect((await tenantUsage(dataSource.manager, tenant)).storedBytes).toBe(0);
  });

  it.each([
    'UPDATE artifact SET bytes = -1',
    `UPDATE artifact SET bytes = ${1024 ** 3 + 1}`,
    'UPDATE artifact SET dropped_bytes = -1',
    `UPDATE executor_run SET wall_us = ${MAXIMUM + 1}`,
    'UPDATE node SET memory_bytes = -1',
  ])('and what was measured has bounds in the tables: not %s', async (sql) => {
    await two.running(two.thief);
    expect(await code(two.owner.query(sql))).toBe(CHECK_VIOLATION);
  });
});

describe('the denials of one run', () => {
  const denial = (position: number, more: object = {}) => {
    const shape = { arguments: ['0x1'], architecture: 'x86_64', errno: 'EPERM' };
    return { position, call: 'bpf', shape, action: 'refused', description: 'bpf()', count: 2, ...more };
  };
  const stored = async (runId: string) => {
    const { rows } = await two.owner.query<{
      rows: number;
      bytes: number;
      longest: number;
      count: number;
      dropped: number;
    }>(
      `SELECT count(*)::int AS rows, sum(octet_length(shape::text) + octet_length(description))::int AS bytes,
         max(octet_length(description)) AS longest, sum(count)::float8 AS count,
         (SELECT denials_dropped::float8 FROM executor_run WHERE id = $1) AS dropped
       FROM denial WHERE executor_run_id = $1`,
      [runId],
    );
    return rows[0];
  };

  it('have bounds together, beyond which they are only counted, and once however often they are told', async () => {
    const { runId } = await two.running(two.thief);
    const many = Array.from({ length: 2000 }, (_, position) => denial(position, { description: 'x'.repeat(4096) }));
    for (let turn = 0; turn < 2; turn++) await thief('node_write_denials', { runId, denials: many });
    const first = await stored(runId);
    expect(first?.bytes).toBeGreaterThan(3 * MIB);
    expect(first?.bytes).toBeLessThan(4 * MIB);
    expect((first?.count ?? 0) + (first?.dropped ?? 0)).toBe(4000);
    const far = { ...denial(10_000), count: 7 };
    expect(await finish(runId, { denials: [...many, far], result: { denialsDropped: 5 } })).toBe(true);
    const last = await stored(runId);
    expect(last?.rows).toBe(first?.rows);
    expect((last?.count ?? 0) + (last?.dropped ?? 0)).toBe(4000 + 7 + 5);
  });

  it('have bounds each: a description is cut, and what has too large a shape is counted alone', async () => {
    const { runId } = await two.running(two.thief);
    const denials = [
      denial(0, { description: 'ü'.repeat(30_000) }),
      denial(1, { shape: { errno: 'E'.repeat(5000) }, count: 3 }),
      denial(2, { count: 1e300 }),
      denial(3, { count: -1e300 }),
    ];
    await thief('node_write_denials', { runId, denials });
    const { longest, rows, dropped } = (await stored(runId)) ?? {};
    expect([rows, dropped]).toEqual([3, 3]);
    expect(longest).toBeLessThanOrEqual(4096);
    await thief('node_write_denials', { runId, denials: [denial(0, { count: 9, description: 'another' })] });
    const { rows: counts } = await two.owner.query<{ count: string }>(
      'SELECT count FROM denial WHERE executor_run_id = $1 ORDER BY position',
      [runId],
    );
    expect(counts.map(({ count }) => Number(count))).toEqual([9, MAXIMUM, 0]);
  });

  it('are read by lists of jobs in few and short words, and all counted', async () => {
    const { runId, jobId } = await two.running(two.thief);
    const denials = Array.from({ length: 3000 }, (_, position) =>
      denial(position, { shape: { errno: `E${position}${'x'.repeat(1000)}` }, count: position === 0 ? MAXIMUM : 1 }),
    );
    await thief('node_write_denials', { runId, denials });
    let read = '';
    const manager = {
      query: async (sql: string, values: unknown[]) => {
        const rows: unknown = await dataSource.manager.query(sql, values);
        read = JSON.stringify(rows);
        return rows;
      },
    };
    const counts = await countDenials(manager as typeof dataSource.manager, [jobId]);
    expect(read.length).toBeLessThan(200_000);
    expect(counts(jobId)).toEqual({ count: MAXIMUM, dropped: 0, worstClass: 'dangerous' });
  });
});

describe('what a node says of itself', () => {
  const text = (more: object = {}) =>
    JSON.stringify({
      ...{ name: 'thief', architecture: 'x86_64', slots: 1, cpuMilli: 1, memoryBytes: 1, diskBytes: 1 },
      ...{ offeredMonitorings: ['none', 'trace-notify'], facts: {}, startedAt: 'now', ...more },
    });
  const register = (more: object) => thief('node_register', { text: text(more), signature: 'forged' });

  it.each([
    [{ offeredMonitorings: [null] }],
    [{ offeredMonitorings: ['everything'] }],
    [{ offeredMonitorings: [['none'], ['none']] }],
    [{ offeredMonitorings: Array(7).fill('none') }],
    [{ offeredMonitorings: null }],
    [{ memoryBytes: 2 ** 53 }],
    [{ diskBytes: '9223372036854775807' }],
    [{ memoryBytes: null }],
    [{ slots: 0 }],
    [{ facts: null }],
    [{ facts: [] }],
    [{ facts: 'text' }],
    [{ startedAt: 'x'.repeat(65) }],
    [{ startedAt: null }],
  ])('is what a node can be: not %j', async (more) => {
    expect(await code(register(more))).toBe(CHECK_VIOLATION);
    expect(await code(thief('node_register', { text: text(), signature: null }))).toBe(CHECK_VIOLATION);
    expect(await register({})).toMatchObject({ slots: 1 });
    await two.owner.query('UPDATE node SET registration_verified = true WHERE id = $1', [two.thief.id]);
  });
});
