/** What happens to real runs that are refused calls: what heals, what ends, and what a new image content gets. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FINAL, Grid, type JobView } from '../support/grid.js';

let grid: Grid;
const PROGRAM = ['/bin/sh', '/in/script'];
/** Signals need authority, and no honest run of these tests needs them. */
const REFUSED = 'kill -0 $$ || true';
const DENIED = { call: 'kill', class: 'authority', action: 'refused' };

interface Version {
  readonly id: string;
  readonly number: number;
  readonly digest: string;
  readonly state: string;
}

beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-1', { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000', PORIN_DENIAL_STORM_S: '1' });
});
afterAll(() => grid.stop());

/** Registered, taught by one run of each script, and approved to start in the stage. */
async function learned(name: string, stage: 'audit' | 'enforce', settings: object = {}): Promise<string> {
  const body = { name, image: grid.image, commandPrefix: PROGRAM, recordingsNeeded: 2, ...settings };
  const id = ((await grid.http('post', '/api/v1/applications').send(body).expect(201)).body as { id: string }).id;
  for (const word of ['one', 'two']) {
    const job = await ended(await submit(name, `echo ${word} > /out/${name}; cat /out/${name}`));
    expect(job).toMatchObject({ state: 'COMPLETE', denials: { count: 0, worstClass: null } });
  }
  await decide(await version(id, 1), 'approve', { stage });
  return id;
}

async function submit(application: string, script: string, more: object = {}): Promise<string> {
  return grid.submit('', {
    executors: [{ application }],
    inputs: [{ content: script, path: '/in/script' }],
    outputs: [grid.output(application)],
    ...more,
  });
}

const ended = (id: string) => grid.waitFor(id, ...FINAL);

/** The job once it waits for the decision about a proposed version, and that version. */
async function held(id: string, applicationId: string, number: number): Promise<{ job: JobView; proposed: Version }> {
  await eventually(async () => {
    expect(await grid.job(id)).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-profile-decision' });
  });
  return { job: await grid.job(id), proposed: await version(applicationId, number) };
}

async function version(applicationId: string, number: number): Promise<Version> {
  let found: Version | undefined;
  await eventually(async () => {
    const { body } = await grid.http('get', `/api/v1/applications/${applicationId}/profiles`).expect(200);
    found = (body as { profiles: Version[] }).profiles.find((each) => each.number === number);
    expect(found).toBeDefined();
  });
  return found as Version;
}

async function decide({ id, digest }: Version, decision: 'approve' | 'reject', more: object = {}): Promise<void> {
  const body = { digest, reason: 'looked at it', ...more };
  await grid.http('post', `/api/v1/profiles/${id}/${decision}`).send(body).expect(200);
}

describe('a job that was refused a call', () => {
  it('publishes nothing, waits, and is run again by itself once the version that allows it is approved', async () => {
    const id = await learned('healing', 'enforce');
    const published = grid.published('healing');
    // The pipeline hides that its middle was refused something.
    const jobId = await submit('healing', `echo word | (${REFUSED}; cat) | cat > /out/healing`);
    const { job, proposed } = await held(jobId, id, 2);
    expect(job).toMatchObject({ denials: { count: 1, worstClass: 'authority' }, endedAt: null });
    expect(job.attempts).toMatchObject([{ state: 'FAILED', errorCode: 'denied' }]);
    expect(job.runs[0]?.denials).toMatchObject([DENIED]);
    expect(grid.published('healing')).toBe(published);
    const list = (await grid.http('get', '/api/v1/jobs?application=healing').expect(200)).body as { jobs: JobView[] };
    expect(list.jobs.find((each) => each.id === jobId)).toMatchObject({
      denials: { count: 1, worstClass: 'authority' },
    });

    expect(proposed.state).toBe('PROPOSED');
    const review = await grid.http('get', `/api/v1/profiles/${proposed.id}/review`).expect(200);
    expect(review.body).toMatchObject({ reasonRequired: true, evidence: [{ call: 'kill', class: 'authority' }] });
    await decide(proposed, 'approve');

    const again = await grid.waitFor(jobId, 'COMPLETE');
    expect(again.attempts.map(({ state }) => state)).toEqual(['FAILED', 'COMPLETE']);
    expect(again.runs.map(({ enforcement }) => enforcement)).toEqual(['enforce', 'audit']);
    expect(grid.published('healing')).toBe('word\n');
  });

  it('ends when the version is rejected', async () => {
    const id = await learned('rejected', 'enforce');
    const jobId = await submit('rejected', `${REFUSED}; echo > /out/rejected`);
    const { proposed } = await held(jobId, id, 2);
    await decide(proposed, 'reject');
    expect(await ended(jobId)).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'denied' });
    // What was rejected is not asked again.
    const next = await submit('rejected', `${REFUSED}; echo again > /out/rejected`);
    expect(await ended(next)).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'denied' });
  });

  it('fails at once, or goes on, where the application says so', async () => {
    await learned('failing', 'enforce', { onDenial: 'fail' });
    expect(await ended(await submit('failing', `${REFUSED}; echo > /out/failing`))).toMatchObject({
      ...{ state: 'EXECUTOR_ERROR', errorCode: 'denied' },
      errorMessage: expect.stringContaining('kill(') as string,
    });
    await learned('reporting', 'enforce', { onDenial: 'report' });
    const reported = await ended(await submit('reporting', `${REFUSED}; echo reported > /out/reporting`));
    expect(reported).toMatchObject({ state: 'COMPLETE', denials: { count: 1 } });
    expect(grid.published('reporting')).toBe('reported\n');
  });

  it.each([
    ['hold', { state: 'QUEUED', attempts: [{ state: 'FAILED', errorCode: 'denied' }] }],
    ['fail', { state: 'EXECUTOR_ERROR', errorCode: 'denied' }],
    ['report', { state: 'EXECUTOR_ERROR', errorCode: 'exit-code', denials: { count: 1 } }],
  ])('publishes nothing where it asks for what a failed payload left, by onDenial %s', async (onDenial, outcome) => {
    const name = `left-${onDenial}`;
    const id = await learned(name, 'enforce', { onDenial });
    const before = grid.published(name);
    const script = `echo never > /out/${name}; ${REFUSED}; exit 3`;
    const jobId = await submit(name, script, { publishOn: 'executor-error' });
    const job = onDenial === 'hold' ? (await held(jobId, id, 2)).job : await ended(jobId);
    expect(job).toMatchObject({ ...outcome, publishingSince: null, outputs: [{ sha256: null, publishedAt: null }] });
    expect(grid.published(name)).toBe(before);
    if (onDenial === 'hold') await grid.http('post', `/api/v1/jobs/${jobId}/cancel`).expect(200);
  });

  it('is ended at the first dangerous one, in either stage, and publishes nothing', async () => {
    for (const stage of ['enforce', 'audit'] as const) {
      const name = `dangerous-${stage}`;
      const id = await learned(name, stage, { onDenial: 'report' });
      const before = grid.published(name);
      const jobId = await submit(name, `unshare -U true; sleep 600; echo never > /out/${name}`);
      const job = await ended(jobId);
      expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'denied', denials: { worstClass: 'dangerous' } });
      expect(job.runs).toMatchObject([{ outcome: 'stopped', errorCode: 'denied' }]);
      expect(job.runs[0]?.denials).toMatchObject([{ call: 'unshare', class: 'dangerous' }]);
      expect(grid.published(name)).toBe(before);
      const { body } = await grid.http('get', `/api/v1/applications/${id}/profiles?limit=1`).expect(200);
      const [newest] = (body as { profiles: Version[] }).profiles;
      const review = await grid.http('get', `/api/v1/profiles/${newest?.id}`).expect(200);
      expect(JSON.stringify((review.body as { profile: object }).profile)).not.toContain('unshare');
    }
  });

  it('is stopped when it does nothing but repeat it', async () => {
    const id = await learned('storm', 'enforce');
    const jobId = await submit('storm', `while :; do ${REFUSED}; done`);
    const { job } = await held(jobId, id, 2);
    expect(job.attempts).toMatchObject([{ errorCode: 'denial-storm' }]);
    expect(JSON.stringify(job.attempts)).toContain('kill(');
    await grid.http('post', `/api/v1/jobs/${jobId}/cancel`).expect(200);
    expect(await grid.waitFor(jobId, 'CANCELED')).toMatchObject({ waitingReason: null });
  });
});

describe('a version in audit', () => {
  it('is enforced by itself after quiet runs on different inputs', async () => {
    const id = await learned('promoted', 'audit', { quietRunsNeeded: 2, quietInputsNeeded: 2 });
    const { id: versionId } = await version(id, 1);
    const quiet = 'echo three > /out/promoted; cat /out/promoted';
    for (const script of [quiet, quiet, `${quiet}; echo more`]) {
      const job = await ended(await submit('promoted', script));
      expect(job).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'audit', denials: [] }] });
    }
    await eventually(async () => {
      const { body } = await grid.http('get', `/api/v1/profiles/${versionId}`).expect(200);
      expect((body as { decisions: object[] }).decisions).toMatchObject([{ rule: null }, { rule: 'promotion' }]);
    });
    const enforced = await ended(await submit('promoted', quiet));
    expect(enforced).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'enforce' }] });
  });

  it('lets a call beyond it be made, and proposes it', async () => {
    const id = await learned('audited', 'audit');
    const job = await ended(await submit('audited', `${REFUSED}; echo made > /out/audited`));
    expect(job).toMatchObject({ state: 'COMPLETE', denials: { count: 1, worstClass: 'authority' } });
    const proposed = await version(id, 2);
    const { body } = await grid.http('get', `/api/v1/profiles/${proposed.id}`).expect(200);
    expect((body as { origins: object }).origins).toMatchObject({ kill: { origin: 'audit', run: job.runs[0]?.id } });
  });
});

describe('a new image content', () => {
  it('inherits the rules in audit: what is harmless goes on, what gives authority is refused', async () => {
    const id = await learned('inherited', 'enforce');
    const container = await grid.docker.createContainer({ Image: grid.image, Cmd: ['/bin/sh'] });
    await container.commit({ repo: 'porin-inherited', tag: '2', changes: 'ENV RELEASE=2' });
    await container.remove();
    try {
      await grid.http('patch', `/api/v1/applications/${id}`).send({ image: 'porin-inherited:2' }).expect(200);
      const quiet = await ended(await submit('inherited', 'echo two > /out/inherited; cat /out/inherited'));
      expect(quiet).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'audit', denials: [] }] });
      const inheritedId = quiet.runs[0]?.profileVersionId ?? '';
      const inherited = await grid.http('get', `/api/v1/profiles/${inheritedId}`).expect(200);
      expect(inherited.body).toMatchObject({ number: 1, state: 'APPROVED', decisions: [{ rule: 'inheritance' }] });

      const jobId = await submit('inherited', `${REFUSED}; echo three > /out/inherited`);
      await eventually(async () => {
        expect(await grid.job(jobId)).toMatchObject({ waitingReason: 'waiting-for-profile-decision' });
      });
      expect((await grid.job(jobId)).runs[0]).toMatchObject({ enforcement: 'audit', denials: [DENIED] });
      expect(grid.published('inherited')).toBe('two\n');
      const proposed = await version(id, 2);
      await decide(proposed, 'approve');
      expect(await grid.waitFor(jobId, 'COMPLETE')).toMatchObject({ denials: { count: 1 } });
      expect(grid.published('inherited')).toBe('three\n');
    } finally {
      await grid.docker.getImage('porin-inherited:2').remove({ force: true });
    }
  });
});
