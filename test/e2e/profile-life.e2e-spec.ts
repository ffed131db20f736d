/** A profile's life with real runs: learned, approved, enforced, changed by hand, revoked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';

let grid: Grid;
/** Runs what its input says. */
const PROGRAM = ['/bin/sh', '/in/script'];

interface Version {
  readonly id: string;
  readonly digest: string;
  readonly number: number;
  readonly state: string;
  readonly recordings: number;
}

beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-1', { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' });
});
afterAll(() => grid.stop());

async function register(name: string, changes: object = {}): Promise<string> {
  const response = await grid
    .http('post', '/api/v1/applications')
    .send({ name, image: grid.image, commandPrefix: PROGRAM, ...changes })
    .expect(201);
  return (response.body as { id: string }).id;
}

const request = (application: string, script: string, more: object = {}) => ({
  executors: [{ application }],
  inputs: [{ content: script, path: '/in/script' }],
  ...more,
});
const run = (
  application: string,
  script: string,
  more: object = {},
  key: 'admin' | 'submitter' = 'submitter',
): Promise<JobView> => grid.run('', request(application, script, more), key);

async function proposed(applicationId: string, number = 1): Promise<Version> {
  let found: Version | undefined;
  await eventually(async () => {
    const response = await grid.http('get', `/api/v1/applications/${applicationId}/profiles`).expect(200);
    found = (response.body as { profiles: Version[] }).profiles.find((version) => version.number === number);
    if (!found) throw new Error(`no version ${number} is proposed`);
  });
  return found as Version;
}

async function decide(version: Version, decision: 'approve' | 'reject' | 'revoke'): Promise<void> {
  await grid
    .http('post', `/api/v1/profiles/${version.id}/${decision}`)
    .send({ digest: version.digest, reason: 'a test', ...(decision === 'approve' && { stage: 'enforce' }) })
    .expect(200);
}

async function learn(name: string): Promise<{ id: string; version: Version }> {
  const id = await register(name);
  for (const word of ['one', 'two', 'three']) {
    expect(await run(name, `echo ${word}`)).toMatchObject({ state: 'COMPLETE' });
  }
  return { id, version: await proposed(id) };
}

describe('a learned profile', () => {
  it('is proposed, approved, enforced on other inputs, and denies what it does not hold', async () => {
    const { id, version } = await learn('echoes');
    await grid.http('patch', `/api/v1/applications/${id}`).send({ onDenial: 'report' }).expect(200);
    expect(version).toMatchObject({ state: 'PROPOSED', recordings: 3 });
    expect((await run('echoes', 'echo unapproved')).runs).toMatchObject([{ enforcement: 'none' }]);
    await decide(version, 'approve');

    const honest = await run('echoes', 'echo four; echo five');
    expect(honest).toMatchObject({ state: 'COMPLETE' });
    expect(honest.runs).toMatchObject([{ enforcement: 'enforce', profileVersionId: version.id, denials: [] }]);

    const attack = await run('echoes', 'kill -0 $$; echo status $?');
    expect(await grid.log(attack.id)).toBe('status 1\n');
    expect(attack.runs[0]?.denials).toMatchObject([{ call: 'kill', action: 'refused', errno: 'ENOSYS', count: 1 }]);

    const asked = await run('echoes', 'echo audited; kill -0 $$', { enforcement: 'audit' }, 'admin');
    expect(asked).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'audit' }] });
    expect(asked.runs[0]?.denials).toMatchObject([{ call: 'kill', action: 'continued', count: 1 }]);

    const report = await grid.http('get', `/api/v1/applications/${id}/overhead`).expect(200);
    expect(JSON.stringify(report.body)).toContain('enforce');
  });

  it('may not be avoided by those who submit', async () => {
    await learn('strict').then(({ version }) => decide(version, 'approve'));
    expect(await grid.refusal(request('strict', 'echo', { enforcement: 'none' }))).toBe('level-not-allowed');
  });

  it('is not believed when its row was changed by hand', async () => {
    const { version } = await learn('tampered');
    await decide(version, 'approve');
    const { rows } = await grid.api.owner.query<{ canonical: string }>(
      'SELECT canonical FROM profile_version WHERE id = $1',
      [version.id],
    );
    const wider = JSON.parse(rows[0]?.canonical ?? '') as { rules: { names: string[] }[] };
    wider.rules[0]?.names.push('zzz');
    const change = async (set: string, values: unknown[]) => {
      await grid.api.owner.query('ALTER TABLE profile_version DISABLE TRIGGER USER');
      await grid.api.owner.query(`UPDATE profile_version SET ${set} WHERE id = $1`, [version.id, ...values]);
      await grid.api.owner.query('ALTER TABLE profile_version ENABLE TRIGGER USER');
    };
    await change('canonical = $2', [JSON.stringify(wider)]);
    expect(await run('tampered', 'echo')).toMatchObject({
      state: 'SYSTEM_ERROR',
      errorCode: 'profile-integrity',
      runs: [],
    });
    await change('canonical = $2, signature = $3', [rows[0]?.canonical, Buffer.alloc(64).toString('base64')]);
    expect(await run('tampered', 'echo')).toMatchObject({
      state: 'SYSTEM_ERROR',
      errorCode: 'profile-signature',
      runs: [],
    });
  });

  it('no longer enforces anything once it is revoked: the policy decides again', async () => {
    const { version } = await learn('withdrawn');
    await decide(version, 'approve');
    await decide({ ...version }, 'revoke');
    expect((await run('withdrawn', 'echo')).runs).toMatchObject([{ enforcement: 'none', profileVersionId: null }]);
  });
});

describe('an application without an approved profile', () => {
  it('holds its jobs until one is approved', async () => {
    const { id, version } = await learn('patient');
    await grid.http('patch', `/api/v1/applications/${id}`).send({ policy: 'hold' }).expect(200);
    const job = await grid.submit('', request('patient', 'echo held'));
    await eventually(async () => {
      expect(await grid.job(job)).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-approved-profile' });
    });
    await decide(version, 'approve');
    const ended = await grid.waitFor(job, 'COMPLETE');
    expect(ended.attempts.map(({ state }) => state)).toEqual(['RELEASED', 'COMPLETE']);
    expect(ended.runs).toMatchObject([{ enforcement: 'enforce' }]);
  });

  it('holds a job of several executors until each has one, and no longer', async () => {
    const { id, version } = await learn('twofold');
    await grid.http('patch', `/api/v1/applications/${id}`).send({ policy: 'hold' }).expect(200);
    const executors = [{ application: 'twofold' }, { application: 'twofold' }];
    const job = await grid.submit('', request('twofold', 'echo held', { executors }));
    await eventually(async () => {
      expect(await grid.job(job)).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-approved-profile' });
    });
    await decide(version, 'approve');
    expect((await grid.waitFor(job, 'COMPLETE')).runs).toHaveLength(2);
  });

  it('lets a held job be canceled', async () => {
    await register('abandoned', { policy: 'hold' });
    const job = await grid.submit('', request('abandoned', 'echo held'));
    await eventually(async () => {
      expect(await grid.job(job)).toMatchObject({ waitingReason: 'waiting-for-approved-profile' });
    });
    await grid.http('post', `/api/v1/jobs/${job}/cancel`).expect(200);
    expect(await grid.waitFor(job, 'CANCELED')).toMatchObject({ runs: [] });
  });

  it('refuses its jobs where the policy says so', async () => {
    await register('closed', { policy: 'refuse' });
    expect(await grid.refusal(request('closed', 'echo'))).toBe('profile-required');
  });
});
