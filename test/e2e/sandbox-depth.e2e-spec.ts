/** The sandbox to its depth, over HTTP: learned conditions and file rules enforced, denials seen live, traces downloaded. */
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';

const PROGRAM = ['/bin/sh', '/in/script'];
/** Learned for what its attacker does beside what it may not: a program that cannot be executed, a pause, a look for a file. */
const LOOKING = 'sort /in/data > /out/sorted; cat /none 2>/dev/null; sleep 0.01; [ -e /out/never ]; echo done >&2';
const HONEST = 'sort /in/data > /out/sorted; echo done';

interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly object[];
}
interface Profile {
  readonly rules: readonly Rule[];
  readonly files?: readonly { readonly path: string; readonly rights: readonly string[] }[];
  readonly pids?: number;
  readonly landlockMinimum?: string;
}
interface Version {
  readonly id: string;
  readonly applicationId: string;
  readonly buildId: string;
  readonly digest: string;
  readonly number: number;
  readonly state: string;
}
interface VersionDetail extends Version {
  readonly profile: Profile;
  readonly coverage: Readonly<Record<string, { seenIn: number; of: number }>>;
  readonly derivations: {
    readonly network: { readonly needed: boolean };
    readonly pids: { readonly peak: number };
    readonly keptFiles: { readonly count: number };
  };
}

let grid: Grid;
beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-1', { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' });
});
afterAll(() => grid.stop());

let outputs = 0;
const request = (application: string, script: string, data: string, more: object = {}) => ({
  executors: [{ application }],
  inputs: [
    { content: script, path: '/in/script' },
    { content: data, path: '/in/data' },
  ],
  outputs: [grid.output('sorted')].map(({ url, path }) => ({ url: `${url}-${outputs++}`, path })),
  ...more,
});
const run = (
  application: string,
  script: string,
  more: object = {},
  { data = 'b\na\n', key = 'submitter' }: { data?: string; key?: 'admin' | 'submitter' } = {},
): Promise<JobView> => grid.run('', request(application, script, data, more), key);

async function register(name: string): Promise<string> {
  const body = { name, image: grid.image, commandPrefix: PROGRAM };
  const response = await grid.http('post', '/api/v1/applications').send(body).expect(201);
  return (response.body as { id: string }).id;
}

async function proposed(applicationId: string, number: number): Promise<VersionDetail> {
  let found: Version | undefined;
  await eventually(async () => {
    const { body } = await grid.http('get', `/api/v1/applications/${applicationId}/profiles`).expect(200);
    found = (body as { profiles: Version[] }).profiles.find((version) => version.number === number);
    if (!found) throw new Error(`no version ${number} is proposed`);
  });
  return detail(found?.id ?? '');
}

async function detail(id: string): Promise<VersionDetail> {
  return (await grid.http('get', `/api/v1/profiles/${id}`).expect(200)).body as VersionDetail;
}

async function approve({ id, digest }: Version): Promise<void> {
  const body = { digest, reason: 'a test', stage: 'enforce' };
  await grid.http('post', `/api/v1/profiles/${id}/approve`).send(body).expect(200);
}

/** Three jobs at monitoring `files`, of two inputs. */
async function learn(name: string): Promise<VersionDetail> {
  const id = await register(name);
  for (const data of ['b\na\n', 'c\nb\na\n', 'b\na\n']) {
    const job = await run(name, HONEST, { monitoring: 'files' }, { data });
    expect(job).toMatchObject({
      state: 'COMPLETE',
      runs: [{ monitoring: 'files', recording: { partialReasons: [] } }],
    });
  }
  return proposed(id, 1);
}

async function trace(id: string): Promise<{ text: string; headers: Record<string, string> }> {
  const response = await grid
    .http('get', `/api/v1/jobs/${id}/trace`)
    .buffer(true)
    .parse((stream, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part)).on('end', () => done(null, Buffer.concat(parts)));
    })
    .expect(200);
  const bytes: Buffer = response.body;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const job = await grid.job(id);
  const artifact = job.runs[0]?.artifacts.find(({ kind }) => kind === 'trace');
  expect(artifact).toEqual({ kind: 'trace', bytes: bytes.length, sha256, truncated: expect.any(Boolean) });
  return { text: gunzipSync(bytes).toString(), headers: response.headers };
}

describe('a profile learned at monitoring "files"', () => {
  it('holds conditions and file rules, lets the honest program run fully enforced, and denies reading /etc/passwd', async () => {
    const version = await learn('sorting');
    const { profile, coverage, derivations } = version;
    expect(profile.rules.some(({ args }) => args !== undefined)).toBe(true);
    const paths = (profile.files ?? []).map(({ path }) => path);
    expect(paths).toContain('/bin');
    expect(paths.some((path) => '/etc/passwd'.startsWith(path))).toBe(false);
    expect(JSON.stringify(profile)).not.toContain('/in/data');
    expect(profile.pids).toBeGreaterThanOrEqual(derivations.pids.peak);
    expect(coverage['file:/bin']).toEqual({ seenIn: 3, of: 3 });
    expect(derivations.network.needed).toBe(false);
    const kept = (await grid.http('get', `/api/v1/profiles/${version.id}/kept-files`).expect(200)).text;
    expect(kept.split('\n')).toContain('/bin/busybox');
    expect(kept).not.toContain('/in/');
    const { body: diff } = await grid.http('get', `/api/v1/profiles/${version.id}/diff`).expect(200);
    expect(diff).toMatchObject({ previousId: null, previous: null });

    await approve(version);
    const honest = await run('sorting', HONEST, {}, { data: 'd\nc\nb\n' });
    expect(honest).toMatchObject({ state: 'COMPLETE' });
    expect(honest.runs).toMatchObject([
      { enforcement: 'enforce', profileVersionId: version.id, landlockStatus: 'FULLY_ENFORCED', denials: [] },
    ]);

    const attack = await run('sorting', 'sort /etc/passwd > /out/sorted; sort /etc/group');
    expect(attack).toMatchObject({ state: 'EXECUTOR_ERROR' });
    expect(await grid.log(attack.id)).toBe('');
    expect(await grid.log(attack.id, 'stderr')).toMatch(
      /\/etc\/passwd: Permission denied\n.*\/etc\/group: Permission denied/,
    );
  });

  it('is followed by one that an administrator wrote, with a minimum and a limit of processes', async () => {
    const version = await learn('edited');
    await approve(version);
    const edit = (changes: object) =>
      grid
        .http('post', `/api/v1/applications/${version.applicationId}/profiles`)
        .send({ buildId: version.buildId, profile: { ...version.profile, ...changes } });
    const { body } = await edit({ landlockMinimum: 'FULLY_ENFORCED', pids: 1 }).expect(201);
    const written = body as VersionDetail;
    expect(written).toMatchObject({
      number: 2,
      state: 'PROPOSED',
      basedOn: version.id,
      proposedBy: expect.any(String),
    });
    const { body: diff } = await grid.http('get', `/api/v1/profiles/${written.id}/diff`).expect(200);
    expect(diff).toMatchObject({
      previousId: version.id,
      pids: { before: version.profile.pids, now: 1 },
      landlockMinimum: { before: null, now: 'FULLY_ENFORCED' },
    });
    await approve(written);
    const held = await run('edited', '(true) & wait; echo done > /out/sorted');
    expect(held).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'process-limit' });
    expect(held.runs).toMatchObject([{ profileVersionId: written.id, landlockStatus: 'FULLY_ENFORCED' }]);

    const again = await edit({ landlockMinimum: 'FULLY_ENFORCED', pids: 1 }).expect(409);
    expect(again.body).toMatchObject({ code: 'wrong-profile-state' });
    const malformed = await edit({ files: [{ path: '/usr', rights: ['write', 'read'] }] }).expect(422);
    expect(malformed.body).toMatchObject({
      code: 'profile-malformed',
      detail: expect.stringContaining('$.files[0].rights[1]'),
    });
    const rules = Array.from({ length: 5000 }, (_, index): Rule => {
      const args = [{ argument: 1, op: 'SCMP_CMP_EQ', value: `0x${(3 * index + 1).toString(16)}` }];
      return { names: ['ioctl'], action: 'SCMP_ACT_ALLOW', args };
    });
    const large = await edit({ rules }).expect(422);
    expect(large.body).toMatchObject({ code: 'profile-uncompilable', detail: expect.stringContaining('4096') });
    await edit({}).set({ Authorization: 'Bearer none' }).expect(401);
  });
});

describe('a denial', () => {
  it('is seen with its path while the payload runs, and counted exactly when it has ended', async () => {
    const names = await register('looking').then(async (id) => {
      for (const data of ['b\n', 'c\n', 'b\n']) await run('looking', LOOKING, {}, { data });
      return proposed(id, 1);
    });
    await approve(names);
    const script = `${HONEST}; mkfifo /tmp/secret; while [ ! -e /out/never ]; do mkfifo /tmp/again; sleep 0.1; done`;
    const id = await grid.submit('', request('looking', script, 'b\n'));
    await eventually(async () => {
      const job = await grid.job(id);
      expect(job.state).toBe('RUNNING');
      const seen = (job.runs[0]?.denials ?? []).map(({ description }) => description);
      expect(seen).toContainEqual(expect.stringMatching(/^mknod(at)?\("\/tmp\/secret", S_IFIFO/));
      const again = job.runs[0]?.denials.find(({ description }) => description.includes('/tmp/again'));
      expect(again?.count).toBeGreaterThan(5);
    });
    await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
    const ended = await grid.waitFor(id, 'CANCELED');
    const [secret, again] = ended.runs[0]?.denials ?? [];
    expect(secret).toMatchObject({ description: expect.stringContaining('"/tmp/secret"'), count: 1 });
    expect(again).toMatchObject({ description: expect.stringContaining('"/tmp/again"') });
    expect(again?.count).toBeGreaterThan(5);
  });
});

describe('a trace', () => {
  it('is downloaded with the calls of the payload, and teaches nothing', async () => {
    const id = await register('traced');
    const job = await run('traced', HONEST, { monitoring: 'trace' });
    expect(job).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'none', recording: null }] });
    expect(job.runs[0]?.selectionReason).toContain('nothing is learned');
    const { text, headers } = await trace(job.id);
    expect(text).toMatch(/open(at)?\([^)]*"\/in\/data", O_RDONLY[^)]*\) = \d+</);
    expect(text).toMatch(/ exit_group\(0\)/);
    expect(headers).toMatchObject({
      'content-type': 'application/gzip',
      'content-disposition': `attachment; filename=${job.id}-executor-0-attempt-1.trace.gz`,
      'porin-trace-complete': 'true',
      'porin-trace-truncated': 'false',
    });
    const { body } = await grid.http('get', `/api/v1/applications/${id}/builds`).expect(200);
    expect(body).toMatchObject({ builds: [{ recordings: 0 }] });
  });

  it('is not there for a run that was not traced', async () => {
    await register('untraced');
    const job = await run('untraced', HONEST);
    const { body } = await grid.http('get', `/api/v1/jobs/${job.id}/trace`).expect(404);
    expect(body).toMatchObject({ code: 'not-found', detail: expect.stringContaining('monitoring "syscalls"') });
  });

  it('by the supervisor is refused where the node offers a better one', async () => {
    await register('notified');
    const notified = request('notified', HONEST, '', { monitoring: 'trace-notify' });
    const { body } = await grid.http('post', '/api/v1/jobs').send(notified).expect(422);
    expect(body).toMatchObject({ code: 'monitoring-unavailable' });
  });

  it('by the supervisor is refused under "audit", by name', async () => {
    await approve(await learn('audited'));
    const audit = request('audited', HONEST, '', { enforcement: 'audit', monitoring: 'trace-notify' });
    const { body } = await grid.http('post', '/api/v1/jobs').send(audit).expect(422);
    expect(body).toMatchObject({ code: 'level-impossible' });
  });
});

describe('a node', () => {
  it('says what it offers', async () => {
    const { body } = await grid.http('get', '/api/v1/nodes').expect(200);
    const [node] = (body as { nodes: { offeredMonitorings: string[]; facts: Record<string, unknown> }[] }).nodes;
    expect(node?.offeredMonitorings).toEqual(['none', 'syscalls', 'arguments', 'files', 'trace']);
    expect(node?.facts).toMatchObject({ straceVersion: expect.any(String), landlockAbi: expect.any(Number) });
  });
});
