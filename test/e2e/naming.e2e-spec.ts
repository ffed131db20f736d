/** No way of naming an image gets less enforcement than the application has whose content it is. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FINAL, Grid, type JobView } from '../support/grid.js';

let grid: Grid;
let profileVersionId: string;
const made: string[] = [];
const PROGRAM = ['/bin/sh', '-eu'];

beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-1', { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' });
  await unknownContent('learn');
  const id = await register('guarded', { image: grid.image, recordingsNeeded: 1, distinctInputsNeeded: 1 });
  expect(await submitted({ application: 'guarded', command: ['-c', 'true'] })).toMatchObject({ state: 'COMPLETE' });
  profileVersionId = await approveFirst(id);
});
afterAll(async () => {
  for (const name of made) await grid.docker.getImage(name).remove({ force: true });
  await grid.stop();
});
beforeEach(() => unknownContent('learn'));

async function register(name: string, settings: object): Promise<string> {
  const response = await grid
    .http('post', '/api/v1/applications')
    .send({ name, commandPrefix: PROGRAM, ...settings })
    .expect(201);
  return (response.body as { id: string }).id;
}

async function approveFirst(applicationId: string): Promise<string> {
  let profile: { id: string; digest: string } | undefined;
  await eventually(async () => {
    const { body } = await grid.http('get', `/api/v1/applications/${applicationId}/profiles`).expect(200);
    [profile] = (body as { profiles: { id: string; digest: string }[] }).profiles;
    expect(profile).toBeDefined();
  });
  const { id = '', digest } = profile ?? {};
  const decision = { digest, reason: 'a test', stage: 'enforce' };
  await grid.http('post', `/api/v1/profiles/${id}/approve`).send(decision).expect(200);
  return id;
}

const unknownContent = (setting: string) =>
  grid.http('patch', '/api/v1/tenants/self').send({ unknownContent: setting }).expect(200);

async function submitted(executor: object, key: 'admin' | 'submitter' = 'submitter', more: object = {}) {
  const { body } = await grid
    .http('post', '/api/v1/jobs', key)
    .send({ executors: [executor], ...more })
    .expect(201);
  return settled((body as { id: string }).id);
}

/** The job once it has ended or is held. */
async function settled(id: string): Promise<JobView> {
  let job = await grid.job(id);
  await eventually(async () => {
    job = await grid.job(id);
    const isHeld = job.state === 'QUEUED' && job.waitingReason?.startsWith('waiting-for-slot') === false;
    if (!isHeld && !FINAL.includes(job.state)) throw new Error(`the job is ${job.state} ${job.waitingReason}`);
  });
  return job;
}

/** Another image: a container's of the guarded one, with changes as a Dockerfile says them, and a file where one is named. */
async function derive(name: string, changes: string, file?: string): Promise<string> {
  const container = await grid.docker.createContainer({ Image: grid.image, Cmd: ['/bin/sh'] });
  try {
    if (file !== undefined) await container.putArchive(emptyFile(file), { path: '/' });
    await container.commit({ repo: name, tag: '1', ...(changes !== '' && { changes }) });
  } finally {
    await container.remove();
  }
  made.push(`${name}:1`);
  return `${name}:1`;
}

/** A tar archive of one empty file (POSIX ustar). */
function emptyFile(name: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  for (const [text, at] of [
    ['0000644', 100],
    ['0000000', 108],
    ['0000000', 116],
    ['00000000000', 124],
    ['00000000000', 136],
    ['        ', 148],
    ['0ustar', 156],
    ['00', 263],
  ] as const) {
    header.write(text, at);
  }
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, Buffer.alloc(1024)]);
}

/** An image with the files of the guarded one, flattened: it shares no layer with anything. */
async function stranger(): Promise<string> {
  const name = `porin-stranger-${randomUUID().slice(0, 8)}`;
  const container = await grid.docker.createContainer({ Image: grid.image, Cmd: ['/bin/sh'] });
  const stream = await container.export();
  await new Promise<void>((resolve, reject) => {
    grid.docker.importImage(stream, { repo: name, tag: '1' }, (error: unknown, answer?: NodeJS.ReadableStream) => {
      if (!answer) return reject(error instanceof Error ? error : new Error(String(error)));
      answer.on('end', resolve).on('error', reject).resume();
    });
  });
  await container.remove();
  made.push(`${name}:1`);
  return `${name}:1`;
}

const enforcementOf = ({ runs }: JobView) => runs.map(({ enforcement }) => enforcement);
const HELD = { state: 'QUEUED', waitingReason: 'waiting-for-known-content', runs: [] };

describe('an image whose content is a registered application’s', () => {
  it('is that application by its own name, by its digest and by another tag, and held to its profile', async () => {
    await grid.docker.getImage(grid.image).tag({ repo: 'porin-retagged', tag: '7' });
    made.push('porin-retagged:7');
    const { Id: id } = await grid.docker.getImage(grid.image).inspect();
    for (const image of [grid.image, 'porin-retagged:7', id]) {
      const job = await submitted({ image, command: [...PROGRAM, '-c', 'true'] });
      expect(job).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'enforce', profileVersionId }] });
    }
  });

  it('is never learned of when it is started otherwise', async () => {
    for (const command of [
      ['sh', '-eu', '-c', 'true'],
      ['/bin/sh', '-c', 'true'],
      ['/usr/bin/env', ...PROGRAM, '-c', 'true'],
      ['/bin/../bin/sh', '-eu', '-c', 'true'],
    ]) {
      expect(await submitted({ image: grid.image, command })).toMatchObject(HELD);
    }
  });

  it('is never learned of with a layer more, another entrypoint or another environment', async () => {
    for (const [name, changes, file] of [
      ['porin-layer', '', 'more'],
      ['porin-entrypoint', 'ENTRYPOINT ["/bin/sh","-eu"]', undefined],
      ['porin-environment', 'ENV LD_PRELOAD=/in/evil.so', undefined],
    ] as const) {
      const image = await derive(name, changes, file);
      const job = await submitted({ image, command: [...PROGRAM, '-c', 'true'] });
      expect(job, name).toMatchObject(HELD);
    }
  });

  it('is known by what a job’s image holds now, when the job is repeated', async () => {
    const moved = { repo: 'porin-moved', tag: '1' };
    await grid.docker.getImage(grid.image).tag(moved);
    made.push('porin-moved:1');
    const first = await submitted({ image: 'porin-moved:1', command: [...PROGRAM, '-c', 'true'] });
    expect(first).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'enforce', profileVersionId }] });
    const rerun = async () => {
      const { body } = await grid.http('post', `/api/v1/jobs/${first.id}/rerun`, 'submitter').expect(201);
      return settled((body as { id: string }).id);
    };
    expect(await rerun()).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'enforce', profileVersionId }] });
    await unknownContent('hold');
    await grid.docker.getImage(await stranger()).tag(moved);
    expect(await rerun()).toMatchObject(HELD);
  });

  it('may be run otherwise by an administrator who asks for it', async () => {
    const executor = { image: grid.image, command: ['/bin/sh', '-c', 'true'] };
    expect(enforcementOf(await submitted(executor, 'admin', { enforcement: 'none' }))).toEqual(['none']);
  });
});

describe('an image of no registered application', () => {
  it('is learned, held or refused as the tenant says, and a held job goes on when that changes', async () => {
    const image = await stranger();
    const executor = { image, command: ['/bin/sh', '-c', 'true'] };
    expect(enforcementOf(await submitted(executor))).toEqual(['none']);
    await unknownContent('refuse');
    expect(await submitted(executor)).toMatchObject({
      state: 'EXECUTOR_ERROR',
      errorCode: 'content-unknown',
      runs: [],
    });
    await unknownContent('hold');
    const held = await submitted(executor);
    expect(held).toMatchObject(HELD);
    await unknownContent('learn');
    expect(await grid.waitFor(held.id, 'COMPLETE')).toMatchObject({ runs: [{ enforcement: 'none' }] });
  });
});
