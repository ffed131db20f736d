/** A stolen node has a job first, says of it what it likes and gives it back: the next node believes none of it. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { JobError } from '#lib/jobs';
import { contentText, nodeArchitecture } from '#lib/profiles';
import { SealingKey } from '#lib/secrets';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AttemptStore } from '../../apps/worker/src/attempt/attempt-store.js';
import { type Claim } from '../../apps/worker/src/attempt/claim.js';
import { NodeStore } from '../../apps/worker/src/node/node-store.js';
import { PlanStore } from '../../apps/worker/src/plan/plan-store.js';
import { NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';
import { imageSource, resolveWith, testEngine } from '../support/image-source.js';

const GIB = 1024 ** 3;
/** The same image by a name that belongs to no application. */
const OTHER_NAME = 'porin/forged:1';
let grid: Grid;
let database: NodeDatabase;
let key: KeyObject;

beforeAll(async () => {
  grid = await Grid.start();
  const thief = await grid.node('thief');
  database = new NodeDatabase({ url: thief.PORIN_DATABASE_URL ?? '', logger: pino({ level: 'silent' }) });
  key = createPrivateKey({ key: Buffer.from(thief.PORIN_NODE_KEY ?? '', 'base64'), format: 'der', type: 'pkcs8' });
  await grid.docker.getImage(grid.image).tag({ repo: 'porin/forged', tag: '1' });
});
afterAll(async () => {
  await grid.docker.getImage(OTHER_NAME).remove();
  await database.end();
  await grid.stop();
});
beforeEach(() => new NodeStore(database, key).heartbeat('GONE', null));

async function register(signingKey: KeyObject): Promise<NodeStore> {
  const nodes = new NodeStore(database, signingKey);
  await nodes.register({
    ...{ name: 'thief', architecture: nodeArchitecture(process.arch), slots: 1, cpuMilli: 4000, memoryBytes: 4 * GIB },
    ...{ diskBytes: 4 * GIB, offeredMonitorings: ['none', 'syscalls'], facts: {}, startedAt: new Date().toISOString() },
    sealingKey: (await SealingKey.generate()).publicKey,
  });
  return nodes;
}

/** It says of every probe that it succeeded. */
async function enter(nodes: NodeStore): Promise<string> {
  const { state, probe } = await nodes.heartbeat('READY', null);
  if (probe !== null) await nodes.endProbe(probe, null);
  return state;
}

/** The thief is the only node, claims the job, does the work, gives the job back and is gone. */
async function stealFirst(jobId: string, work: (claim: Claim, plans: PlanStore) => Promise<unknown>): Promise<void> {
  const nodes = await register(key);
  const attempts = new AttemptStore(database, { leaseMs: 30_000, session: database });
  let claim: Claim | undefined;
  await eventually(async () => {
    expect(await enter(nodes)).toBe('READY');
    claim = await attempts.claim({ jobId, attempt: 1 });
    expect(claim).toBeDefined();
  });
  if (claim) {
    await work(claim, new PlanStore(database));
    await nodes.heartbeat('GONE', null);
    await attempts.fail(claim, JobError.of('node-draining', { node: 'thief' }));
  }
}

async function runNext(jobId: string, ...states: string[]): Promise<JobView> {
  const worker = await grid.startWorker('honest', { PORIN_SLOTS: '1', PORIN_CPU_MILLI: '2000' });
  try {
    return await grid.waitFor(jobId, ...states);
  } finally {
    await worker.stop();
  }
}

const onImage = async (image: string): Promise<string> => {
  const executors = [{ image, command: ['/bin/sh', '-c', 'echo ran'] }];
  const { body } = await grid.http('post', '/api/v1/jobs', 'submitter').send({ executors }).expect(201);
  return (body as { id: string }).id;
};

describe('what a node says of itself', () => {
  it('makes it READY only when its own key has signed it', async () => {
    const nodes = await register(generateKeyPairSync('ed25519').privateKey);
    await eventually(async () => {
      const { rows } = await grid.api.owner.query(`SELECT registration FROM node WHERE name = 'thief'`);
      expect(rows).toEqual([{ registration: null }]);
    });
    expect(await enter(nodes)).toBe('DRAINING');
    await register(key);
    await eventually(async () => expect(await enter(nodes)).toBe('READY'));
  });
});

describe('a build that a stolen node has forged', () => {
  it('runs nothing on the next node where the image is another, whatever digest was stored', async () => {
    const jobId = await onImage(grid.image);
    await stealFirst(jobId, (claim, plans) =>
      plans.pinBuild(
        { ...claim, position: 0 },
        {
          applicationId: claim.executors[0].applicationId,
          content: JSON.stringify({ architecture: nodeArchitecture(process.arch), layerDiffIds: ['sha256:evil'] }),
          repositoryDigest: `evil.example.org/image@sha256:${'0'.repeat(64)}`,
        },
      ),
    );
    const job = await runNext(jobId, 'EXECUTOR_ERROR');
    expect(job).toMatchObject({ errorCode: 'build-mismatch', runs: [] });
  });

  it('takes no job away from the application whose content it runs', async () => {
    const application = { name: 'owned', image: grid.image, commandPrefix: ['/bin/sh'], policy: 'hold' };
    await grid.http('post', '/api/v1/applications').send(application).expect(201);
    const { content } = await resolveWith(imageSource(testEngine()), OTHER_NAME);
    // A first job of the application makes its build known.
    const { body } = await grid
      .http('post', '/api/v1/jobs')
      .send({ executors: [{ application: 'owned', command: ['-c', 'true'] }] })
      .expect(201);
    const waits = (id: string) =>
      eventually(async () => expect((await grid.job(id)).waitingReason).toBe('waiting-for-approved-profile'));
    const worker = await grid.startWorker('honest', { PORIN_SLOTS: '1', PORIN_CPU_MILLI: '2000' });
    await waits((body as { id: string }).id);
    await worker.stop();

    const jobId = await onImage(OTHER_NAME);
    await stealFirst(jobId, (claim, plans) =>
      plans.pinBuild(
        { ...claim, position: 0 },
        {
          applicationId: claim.executors[0].applicationId,
          content: contentText(content),
          repositoryDigest: null,
        },
      ),
    );
    const again = await grid.startWorker('honest', { PORIN_SLOTS: '1', PORIN_CPU_MILLI: '2000' });
    await waits(jobId);
    await again.stop();
    expect(await grid.job(jobId)).toMatchObject({ runs: [], executors: [{ buildId: expect.any(String) }] });
  });
});
