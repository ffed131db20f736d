/** What is sealed for an attempt: handed over once, to the node that the job is placed on, and not kept for anybody else. */
import { makeDataSource } from '#lib/database';
import { type DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetSealed } from '../../apps/dispatcher/src/placement/seal-secrets.js';
import { call, code, INSUFFICIENT_PRIVILEGE, type NodeSession, TwoNodes } from '../support/stolen-node.js';

let two: TwoNodes;
let api: DataSource;
let applicationId: string;
beforeAll(async () => {
  two = await TwoNodes.make();
  api = await makeDataSource({ url: two.database.apiUrl, applicationName: 'test' }).initialize();
  applicationId = await two.makeApplication();
});
afterAll(async () => {
  await api.destroy();
  await two.end();
});

interface Claimed {
  readonly secrets: readonly object[];
}
const claim = ({ client }: NodeSession, jobId: string) =>
  call<Claimed | null>(client, 'node_claim', { jobId, attempt: 1, leaseMs: 600_000 });

/** Of a job that is placed on the victim and names the secrets a and b. */
async function placed(sealed: readonly string[], fence = 1): Promise<string> {
  const jobId = await two.placedJob(two.victim.id, applicationId);
  await two.owner.query(`UPDATE job SET secrets = '{a,b}' WHERE id = $1`, [jobId]);
  await two.owner.query(
    `INSERT INTO sealed_secret (job_id, fence, name, node_id, kind, prefix, sealed)
     SELECT $1, $2, name, $3, 'bearer', 'https://host/', 'sealed ' || name FROM unnest($4::text[]) AS given(name)`,
    [jobId, fence, two.victim.id, sealed],
  );
  return jobId;
}

async function kept(jobId: string): Promise<number> {
  return (await two.owner.query('SELECT FROM sealed_secret WHERE job_id = $1', [jobId])).rowCount ?? 0;
}

describe('what is sealed for an attempt', () => {
  it('goes to the node that claims it, once, and nothing of it stays', async () => {
    const jobId = await placed(['a', 'b']);
    expect(await claim(two.thief, jobId)).toBeNull();
    expect(await kept(jobId)).toBe(2);
    const of = (name: string) => ({ name, kind: 'bearer', prefix: 'https://host/', sealed: `sealed ${name}` });
    expect((await claim(two.victim, jobId))?.secrets).toEqual([of('a'), of('b')]);
    expect(await kept(jobId)).toBe(0);
    expect(await claim(two.victim, jobId)).toBeNull();
  });

  it('is all that the job names, or the job is not claimed', async () => {
    expect(await claim(two.victim, await placed(['a']))).toBeNull();
    expect(await claim(two.victim, await placed([]))).toBeNull();
  });

  it('is not handed over for another fence, and forgotten', async () => {
    const [other, current] = [await placed(['a', 'b'], 2), await placed(['a', 'b'])];
    expect(await claim(two.victim, other)).toBeNull();
    await forgetSealed(api.manager);
    expect([await kept(other), await kept(current)]).toEqual([0, 2]);
    await two.owner.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE id = $1`, [current]);
    await forgetSealed(api.manager);
    expect(await kept(current)).toBe(0);
  });

  it('is nothing to jobs without secrets', async () => {
    const jobId = await two.placedJob(two.victim.id, applicationId);
    expect((await claim(two.victim, jobId))?.secrets).toEqual([]);
  });

  it.each(['secret', 'sealed_secret'])('is in no table that a node reads or writes: %s', async (table) => {
    const { client } = two.victim;
    for (const sql of [`SELECT FROM porin.${table}`, `DELETE FROM porin.${table}`]) {
      expect(await code(client.query(sql))).toBe(INSUFFICIENT_PRIVILEGE);
    }
  });
});
