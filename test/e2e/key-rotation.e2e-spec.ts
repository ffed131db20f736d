/** The signing key is changed while a real worker runs jobs; a superuser puts a revoked version back before one that is new. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { porinAdmin } from '../support/admin-command.js';
import { eventually } from '../support/eventually.js';
import { Grid, type JobView } from '../support/grid.js';

let grid: Grid;
const PROGRAM = ['/bin/sh', '/in/script'];
const NODE = { PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' };

beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-1', NODE);
});
afterAll(() => grid.stop());

const run = (application: string, script: string): Promise<JobView> =>
  grid.run('', { executors: [{ application }], inputs: [{ content: script, path: '/in/script' }] });

/** An application with an approved version that is enforced. */
async function approved(name: string): Promise<{ id: string; digest: string }> {
  const { body } = await grid
    .http('post', '/api/v1/applications')
    .send({ name, image: grid.image, commandPrefix: PROGRAM })
    .expect(201);
  for (const word of ['one', 'two', 'three']) await run(name, `echo ${word}`);
  let version: { id: string; digest: string } | undefined;
  await eventually(async () => {
    const answer = await grid.http('get', `/api/v1/applications/${body.id}/profiles`).expect(200);
    [version] = answer.body.profiles;
    expect(version).toBeDefined();
  });
  await decide('approve', version!, { stage: 'enforce' });
  return version!;
}

const decide = (verb: string, { id, digest }: { id: string; digest: string }, more: object = {}) =>
  grid
    .http('post', `/api/v1/profiles/${id}/${verb}`)
    .send({ digest, reason: 'a test', ...more })
    .expect(200);

const admin = async (...args: string[]) => {
  const { signingKey, publicKeys } = grid.keyFiles;
  const result = await porinAdmin(args, {
    ...{ PORIN_DATABASE_URL: grid.api.database.apiUrl, PORIN_SIGNING_KEY_FILE: signingKey },
    PORIN_APPROVAL_PUBLIC_KEY_FILE: publicKeys,
  });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  return result.stdout;
};

describe('jobs under an approved profile', () => {
  it('go on through a change of the signing key, by workers that know only the new one too', async () => {
    await approved('steady');
    const enforced = async () =>
      expect(await run('steady', 'echo on')).toMatchObject({ state: 'COMPLETE', runs: [{ enforcement: 'enforce' }] });
    await enforced();
    const next = /The key ([0-9a-f]{16})/.exec(await admin('key', 'rotate'))?.[1];
    await enforced();
    await eventually(async () => {
      const { nodes } = (await grid.http('get', '/api/v1/nodes').expect(200)).body as {
        nodes: { facts: { trustedKeys: string[] } }[];
      };
      expect(nodes[0]?.facts.trustedKeys).toContain(next);
    });
    await admin('key', 'rotate', '--activate');
    await enforced();
    await grid.api.restart({ PORIN_APPROVAL_PUBLIC_KEY_FILE: grid.keyFiles.publicKeys });
    await enforced();
    expect(await admin('resign')).toContain('1 approval(s) signed anew');
    await enforced();
    const [, newer] = readFileSync(grid.keyFiles.publicKeys, 'utf8').split(/(?=-----BEGIN)/) as [string, string];
    writeFileSync(grid.keyFiles.publicKeys, newer);
    await enforced();
  });

  it('are not run by a revoked version that a superuser put back, on any node', async () => {
    const version = await approved('taken-back');
    const { owner } = grid.api;
    const { rows } = await owner.query('SELECT statement, signature FROM profile_version WHERE id = $1', [version.id]);
    await decide('revoke', version);
    await owner.query(`BEGIN; SET LOCAL session_replication_role = replica`);
    await owner.query(
      `UPDATE profile_version SET state = 'APPROVED', stage = 'enforce', statement = $2, signature = $3 WHERE id = $1`,
      [version.id, rows[0].statement, rows[0].signature],
    );
    await owner.query('COMMIT');
    const refused = { state: 'SYSTEM_ERROR', errorCode: 'profile-integrity', runs: [] };
    expect(await run('taken-back', 'echo')).toMatchObject(refused);
    await grid.stopWorkers();
    await grid.startWorker('node-2', NODE);
    expect(await run('taken-back', 'echo')).toMatchObject(refused);
  });
});
