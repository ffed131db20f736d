/** What somebody can do who has one node's credentials: to its own jobs, harm; to anything else, nothing. */
import { randomUUID } from 'node:crypto';
import { NODE_FUNCTIONS } from '#lib/database';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  call,
  CHECK_VIOLATION,
  code,
  connect,
  CONTENT,
  digestOfContent,
  type HeldJob,
  INSUFFICIENT_PRIVILEGE,
  pin,
  startRun,
  TwoNodes,
  UNIQUE_VIOLATION,
} from '../support/stolen-node.js';

const REPOSITORY_DIGEST = `registry/tool@sha256:${'1'.repeat(64)}`;
const CALLABLE = NODE_FUNCTIONS.map(({ name }) => name).filter((name) => name.startsWith('node_'));

let two: TwoNodes;
let owner: pg.Client;
let thief: pg.Client;
let victim: pg.Client;
let thiefId: string;
let victimId: string;
let victims: HeldJob;

beforeAll(async () => {
  two = await TwoNodes.make();
  ({ owner } = two);
  [thief, victim] = [two.thief.client, two.victim.client];
  [thiefId, victimId] = [two.thief.id, two.victim.id];
  victims = await two.running(two.victim);
  await call(victim, 'node_use_image', {
    ...{ jobId: victims.jobId, repositoryDigest: REPOSITORY_DIGEST, isNew: true },
  });
  await call(
    victim,
    'node_append_artifact',
    { runId: victims.runId, kind: 'stdout', offset: 0 },
    Buffer.from('secret'),
  );
});
afterAll(() => two.end());
beforeEach(() => two.loseThiefsAttempts());

describe('the tables, to a node', () => {
  it('are closed, all of them, and in every way', async () => {
    const all = await two.tables();
    expect(all.length).toBeGreaterThan(20);
    for (const table of all) {
      const { rows } = await owner.query<{ name: string }>(
        `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' AND attgenerated = '' AND NOT attisdropped ORDER BY attnum`,
        [`porin.${table}`],
      );
      const column = rows[0]?.name;
      for (const sql of [
        `SELECT 1 FROM porin.${table}`,
        `SELECT ${column} FROM porin.${table}`,
        `INSERT INTO porin.${table} DEFAULT VALUES`,
        `UPDATE porin.${table} SET ${column} = NULL`,
        `DELETE FROM porin.${table}`,
        `TRUNCATE porin.${table} CASCADE`,
        `DO $$ BEGIN LOCK TABLE porin.${table} IN ACCESS SHARE MODE; END $$`,
        `COPY porin.${table} TO STDOUT`,
        `CREATE TRIGGER mine AFTER INSERT ON porin.${table} EXECUTE FUNCTION porin.notify_cancel()`,
        `ALTER TABLE porin.${table} RENAME TO mine`,
      ]) {
        expect([sql, await code(thief.query(sql))]).toEqual([sql, INSUFFICIENT_PRIVILEGE]);
      }
    }
  });

  it('and the sequences', async () => {
    const { rows } = await owner.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'porin'::regnamespace AND relkind = 'S'`,
    );
    for (const { name } of rows) {
      expect(await code(thief.query(`SELECT nextval('porin.${name}')`))).toBe(INSUFFICIENT_PRIVILEGE);
    }
  });
});

describe('the functions, to a node', () => {
  it('are those that are for nodes, and hold to what makes them safe', async () => {
    const { rows } = await owner.query<{
      name: string;
      callable: boolean;
      definer: boolean;
      config: string[];
      owner: string;
    }>(
      `SELECT proname AS name, has_function_privilege($1::name, oid, 'EXECUTE') AS callable, prosecdef AS definer,
         proconfig AS config, proowner::regrole::text AS owner
       FROM pg_proc WHERE pronamespace = 'porin'::regnamespace`,
      [thief.user],
    );
    const callable = rows.filter((row) => row.callable);
    expect(callable.map(({ name }) => name).sort()).toEqual([...CALLABLE].sort());
    for (const row of callable) {
      expect(row).toMatchObject({
        definer: true,
        owner: 'porin_functions',
        config: ['search_path=pg_catalog, porin, pg_temp'],
      });
    }
    const { rows: owners } = await owner.query(
      `SELECT rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles
       WHERE rolname = 'porin_functions'`,
    );
    for (const value of Object.values(owners[0] as object)) expect(value).toBe(false);
  });

  it('answer nobody who is no node, a superuser neither', async () => {
    for (const name of CALLABLE.filter((each) => each !== 'node_append_artifact' && each !== 'node_clock')) {
      const input = {
        jobId: victims.jobId,
        number: 1,
        code: 'exit-code',
        text: '{}',
        content: CONTENT,
        reason: 'waiting-for-known-content',
      };
      expect([name, await code(call(owner, name, input))]).toEqual([name, INSUFFICIENT_PRIVILEGE]);
    }
  });
});

describe('with the rights that Postgres gives to everybody, a node', () => {
  it('becomes nobody else', async () => {
    for (const role of ['porin_functions', 'porin_api', victim.user, 'postgres']) {
      expect([role, await code(thief.query(`SET ROLE ${role}`))]).toEqual([role, INSUFFICIENT_PRIVILEGE]);
      expect([role, await code(thief.query(`SET SESSION AUTHORIZATION ${role}`))]).toEqual([
        role,
        INSUFFICIENT_PRIVILEGE,
      ]);
    }
    await thief.query('SET ROLE porin_node');
    expect(await call(thief, 'node_renew', { jobId: victims.jobId, number: 1, leaseMs: 60_000 })).toBe('lost');
    await thief.query('RESET ROLE');
  });

  it.each([
    'CREATE TEMP TABLE mine (id int)',
    'CREATE TABLE porin.mine (id int)',
    'CREATE TABLE public.mine (id int)',
    'CREATE SCHEMA mine',
    `CREATE FUNCTION porin.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    `CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    'CREATE ROLE mine',
    `SELECT lo_create(0)`,
    `SELECT lo_from_bytea(0, 'mine')`,
    `SELECT pg_read_file('/etc/passwd')`,
    `COPY (SELECT 1) TO PROGRAM 'true'`,
    `CREATE EXTENSION dblink`,
    'SELECT rolpassword FROM pg_authid',
    `ALTER SYSTEM SET max_connections = 1`,
  ])('cannot %s', async (sql) => {
    expect(await code(thief.query(sql))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it('is not believed for its search path', async () => {
    await thief.query('SET search_path = pg_temp, public, pg_catalog');
    expect(await call(thief, 'node_canceled', {})).toEqual([]);
    await thief.query('RESET search_path');
  });

  it("ends nobody else's connection", async () => {
    const { rows } = await victim.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    expect(await code(thief.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]))).toBe(INSUFFICIENT_PRIVILEGE);
  });

  it('has three connections, and statements that end', async () => {
    const url = nodeUrlOf(thief);
    const more = [await connect(url), await connect(url)];
    expect(await code(connect(url))).toBe('53300');
    for (const client of more) await client.end();
    expect((await thief.query('SHOW statement_timeout')).rows).toEqual([{ statement_timeout: '30s' }]);
  });

  it('wakes others, and they find that there is nothing to do', async () => {
    const before = await two.everythingElse();
    for (const channel of ['porin_cancel', 'porin_outbox', 'porin_recording']) {
      await thief.query(`SELECT pg_notify($1, $2)`, [channel, victims.jobId]);
    }
    expect(await call(victim, 'node_canceled', {})).toEqual([]);
    expect(await two.everythingElse()).toBe(before);
  });

  it('holds no name but its own, and no lock for long', async () => {
    await thief.query('SELECT pg_advisory_lock(7060118), pg_advisory_lock(7060120, hashtext($1))', ['victim']);
    expect(await call(victim, 'node_open_session', {})).toBe(true);
    const api = await connect(two.database.apiUrl);
    expect((await api.query(`SELECT porin.end_node_abuse('{}') AS ended`)).rows).toEqual([{ ended: 1 }]);
    expect((await api.query('SELECT pg_try_advisory_lock(7060118) AS held')).rows).toEqual([{ held: true }]);
    await api.end();
    thief = two.thief.client = await connect(nodeUrlOf(thief));
    expect(await call(victim, 'node_renew', { jobId: victims.jobId, number: 1, leaseMs: 60_000 })).toBe('held');
  });
});

function nodeUrlOf(client: pg.Client): string {
  return Object.assign(new URL(two.database.ownerUrl), { username: client.user, password: client.password }).href;
}

describe('of its own jobs, a node', () => {
  it('claims those that are placed on it, one at a time, and no more than it may have', async () => {
    const application = await two.makeApplication();
    const claim = async (nodeId: string, more: object = {}) => {
      const jobId = await two.placedJob(nodeId, application, more);
      return call<object | null>(thief, 'node_claim', { jobId, attempt: 1, leaseMs: 60_000 });
    };
    expect(await claim(victimId)).toBeNull();
    expect(await claim(thiefId, { cpuMilli: 4000 })).toBeNull();
    expect(await claim(thiefId)).not.toBeNull();
    expect(await claim(thiefId, { cpuMilli: 2500 })).toBeNull();
    expect(await claim(thiefId)).not.toBeNull();
    expect(await claim(thiefId)).toBeNull();
  });

  it('claims nothing before the API has verified what it says of itself', async () => {
    const jobId = await two.placedJob(thiefId, await two.makeApplication());
    const text = {
      name: 'thief',
      architecture: 'x86_64',
      slots: 99,
      cpuMilli: 99_000,
      memoryBytes: 1000,
      diskBytes: 1000,
      offeredMonitorings: [],
      facts: {},
      startedAt: 'now',
    };
    const granted = await call(thief, 'node_register', { text: JSON.stringify(text), signature: 'forged' });
    expect(granted).toMatchObject({ slots: 2, cpuMilli: 3000, memoryBytes: 100, diskBytes: 100 });
    expect(await call(thief, 'node_heartbeat', { state: 'READY' })).toEqual({ state: 'DRAINING', probe: null });
    expect(await call(thief, 'node_claim', { jobId, attempt: 1, leaseMs: 60_000 })).toBeNull();
    const other = { ...text, name: 'victim' };
    expect(await code(call(thief, 'node_register', { text: JSON.stringify(other), signature: 'forged' }))).toBe(
      INSUFFICIENT_PRIVILEGE,
    );
    await owner.query('UPDATE node SET registration_verified = true WHERE id = $1', [thiefId]);
  });

  it('is READY after a start only when a probe was judged since', async () => {
    const heartbeat = () => call(thief, 'node_heartbeat', { state: 'READY' });
    await owner.query(
      `UPDATE node SET state = 'DRAINING', registration_verified = true, started_at = now(), probed_at = NULL WHERE id = $1`,
      [thiefId],
    );
    expect(await heartbeat()).toEqual({ state: 'DRAINING', probe: null });
    await owner.query(`UPDATE node SET probed_at = now() WHERE id = $1`, [thiefId]);
    expect(await heartbeat()).toEqual({ state: 'READY', probe: null });
  });

  it('clears no verdict and proves nothing: it answers the probe that it was asked for, once, and for itself alone', async () => {
    const end = (number: number, problem: string | null = null) => call(thief, 'node_end_probe', { number, problem });
    const verdicts = async () =>
      (
        await owner.query(
          `SELECT name, suspect_reason, failed_at IS NULL AS unfailed, probed_at, proved_at, failed_probes FROM node ORDER BY name`,
        )
      ).rows;
    await owner.query(
      `UPDATE node SET suspect_since = now(), suspect_reason = 'r', probe_number = 7, probe_asked_at = now(), probed_at = NULL`,
    );
    const before = await verdicts();
    const others = async () =>
      (await owner.query(`SELECT node::text FROM node WHERE id <> $1`, [thiefId])).rows as unknown[];
    const othersBefore = await others();
    expect(await end(6)).toBe(false);
    expect(await end(8)).toBe(false);
    expect(await call(thief, 'node_heartbeat', { state: 'READY', ailment: null })).toMatchObject({ probe: 7 });
    expect(await end(7, 'x'.repeat(5_000))).toBe(true);
    expect(await end(7)).toBe(false);
    expect(await call(thief, 'node_heartbeat', { state: 'READY', ailment: 'y'.repeat(5_000) })).toMatchObject({
      probe: null,
    });
    const { rows } = await owner.query<{ problem: number; ailment: number }>(
      'SELECT length(probe_problem) AS problem, length(ailment) AS ailment FROM node WHERE id = $1',
      [thiefId],
    );
    expect(rows).toEqual([{ problem: 1_000, ailment: 1_000 }]);
    // One that was given up is not answered any more.
    await owner.query(`UPDATE node SET probe_answer = NULL, probed_at = now()`);
    expect(await end(7)).toBe(false);
    await owner.query(`UPDATE node SET probed_at = NULL WHERE id = $1`, [thiefId]);
    await owner.query(`UPDATE node SET probed_at = NULL WHERE id <> $1`, [thiefId]);
    expect(await verdicts()).toEqual(before);
    expect(await others()).toEqual(othersBefore);
    await owner.query(
      `UPDATE node SET suspect_since = NULL, suspect_reason = NULL, ailment = NULL, probe_number = 0, probe_asked_at = NULL`,
    );
  });

  it('takes no lease for longer than ten minutes', async () => {
    const jobId = await two.placedJob(thiefId, await two.makeApplication());
    await call(thief, 'node_claim', { jobId, attempt: 1, leaseMs: 1e15 });
    await call(thief, 'node_renew', { jobId, number: 1, leaseMs: 1e15 });
    const { rows } = await owner.query<{ short: boolean }>(
      `SELECT lease_expires_at <= now() + interval '10 min' AS short FROM attempt WHERE job_id = $1`,
      [jobId],
    );
    expect(rows).toEqual([{ short: true }]);
  });

  it('says how far the inputs are while they are staged, in numbers that can be', async () => {
    const { jobId } = await two.claimed(two.thief);
    const said = async (of: string, staged?: object) => {
      const answer = await code(call(thief, 'node_renew', { jobId: of, number: 1, leaseMs: 60_000, staged }));
      const { rows } = await owner.query<Record<'inputs' | 'bytes' | 'total', number | null>>(
        `SELECT inputs_staged AS inputs, input_bytes_staged::float8 AS bytes, input_bytes_total::float8 AS total
         FROM attempt WHERE job_id = $1`,
        [of],
      );
      const [{ inputs, bytes, total } = {}] = rows;
      return [answer, inputs, bytes, total];
    };
    const most = Number.MAX_SAFE_INTEGER;
    const fine = 'no error';
    expect(await said(jobId, { inputs: 1, bytes: 5, totalBytes: 7 })).toEqual([fine, 1, 5, 7]);
    expect(await said(jobId, { inputs: 0, bytes: 5, totalBytes: null })).toEqual([fine, 0, 5, null]);
    expect(await said(jobId, { inputs: 2, bytes: 8, totalBytes: 7 })).toEqual([fine, 1, 7, 7]);
    expect(await said(jobId, { inputs: -1, bytes: -1, totalBytes: -1 })).toEqual([fine, 0, 0, 0]);
    expect(await said(jobId, { inputs: 1e300, bytes: 'NaN', totalBytes: 1e300 })).toEqual([fine, 1, most, most]);
    expect(await said(jobId, {})).toEqual([fine, 0, 0, null]);
    for (const odd of ['x', 5, null, ['x'], { bytes: 'x' }, { inputs: {} }]) {
      expect((await said(jobId, odd as object)).slice(1)).toEqual([0, 0, null]);
    }
    expect(await said(jobId)).toEqual([fine, null, null, null]);
    expect(await said(victims.jobId, { inputs: 1, bytes: 1, totalBytes: 1 })).toEqual([fine, null, null, null]);
  });

  it('makes builds of the applications of its executors alone, and pins each executor once', async () => {
    const { jobId, applicationId } = await two.claimed(two.thief);
    expect(await code(pin(thief, jobId, victims.applicationId))).toBe(INSUFFICIENT_PRIVILEGE);
    const forged = JSON.stringify({ architecture: 'x86_64', layerDiffIds: ['sha256:forged'] });
    expect(await code(pin(thief, jobId, applicationId, { content: CONTENT.replace('x86_64', 'aarch64') }))).toBe(
      CHECK_VIOLATION,
    );
    expect(await code(pin(thief, jobId, applicationId, { repositoryDigest: 'x' }))).toBe(CHECK_VIOLATION);
    const first = await pin(thief, jobId, applicationId);
    expect(await pin(thief, jobId, applicationId, { content: forged })).toEqual(first);
    const { rows } = await owner.query('SELECT layers, made_by_node FROM build WHERE id = $1', [first?.id]);
    expect(rows).toEqual([{ layers: ['sha256:a'], made_by_node: thiefId }]);
  });

  it('binds a job that names an image to an application only that has the content, and never away from one', async () => {
    const adhoc = await two.makeApplication(`adhoc/${randomUUID()}`);
    const [owning, other] = [
      await two.makeApplication(randomUUID(), 'owning'),
      await two.makeApplication(randomUUID(), 'other'),
    ];
    const digest = digestOfContent(CONTENT);
    await owner.query(
      `INSERT INTO build (application_id, content_digest, architecture, image_reference) VALUES ($1, $2, 'x86_64', 'i')`,
      [owning, digest],
    );
    const { jobId } = await two.claimed(two.thief, { applicationId: adhoc });
    expect(await code(pin(thief, jobId, other))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await pin(thief, jobId, adhoc)).toMatchObject({ applicationId: adhoc });
    // What the next node does, which sees whose content it is.
    expect(await pin(thief, jobId, owning)).toMatchObject({ applicationId: owning, contentDigest: digest });
    expect(await pin(thief, jobId, adhoc)).toMatchObject({ applicationId: owning });
  });

  it('counts images for the tenants of jobs that it holds, on itself alone, and sees of others only that they use one too', async () => {
    const [mine, foreign] = [await two.claimed(two.thief), await two.claimed(two.thief, { tenant: 'other' })];
    const ask = (name: string, { jobId }: { jobId: string }, input: object) => call(thief, name, { jobId, ...input });
    const repositoryDigest = REPOSITORY_DIGEST;
    const repositoryDigests = [repositoryDigest];
    // The victim's use of it does not count here.
    expect(await ask('node_tenant_images', mine, { repositoryDigests })).toEqual([]);
    expect(await ask('node_use_image', mine, { repositoryDigest, isNew: false })).toBe(false);
    expect(await ask('node_use_image', mine, { repositoryDigest, isNew: true })).toBe(true);
    expect(await ask('node_use_image', mine, { repositoryDigest, isNew: false })).toBe(true);
    const seen = (isOwn: boolean, isOthers: boolean) => [{ repositoryDigest, isOwn, isOthers }];
    expect(await ask('node_tenant_images', mine, { repositoryDigests })).toEqual(seen(true, false));
    expect(await ask('node_tenant_images', foreign, { repositoryDigests })).toEqual(seen(false, true));
    await ask('node_give_up_images', foreign, { repositoryDigests });
    expect(await ask('node_tenant_images', mine, { repositoryDigests })).toEqual(seen(true, false));
    await ask('node_give_up_images', mine, { repositoryDigests });
    expect(await ask('node_tenant_images', mine, { repositoryDigests })).toEqual([]);
    expect(await call(victim, 'node_images_by_last_use', { repositoryDigests })).toEqual(repositoryDigests);
    for (const forged of ['', 'tools', `x@sha256:${'1'.repeat(63)}`]) {
      const use = ask('node_use_image', mine, { repositoryDigest: forged, isNew: true });
      expect(await code(use)).toBe(CHECK_VIOLATION);
    }
  });

  it('cannot fill the database with images', async () => {
    const { jobId } = await two.claimed(two.thief);
    await owner.query(
      `INSERT INTO node_image (node_id, tenant, repository_digest)
       SELECT $1, 't', 'r@sha256:' || encode(sha256(n::text::bytea), 'hex') FROM generate_series(1, 10000) AS n`,
      [thiefId],
    );
    const use = { jobId, repositoryDigest: REPOSITORY_DIGEST, isNew: true };
    expect(await code(call(thief, 'node_use_image', use))).toBe(CHECK_VIOLATION);
    const kept = `r@${digestOfContent('7')}`;
    await owner.query(`UPDATE node_image SET last_used_at = now() - interval '2 hours' WHERE node_id = $1`, [thiefId]);
    // What the engine has not any more is forgotten.
    expect(await call(thief, 'node_images_by_last_use', { repositoryDigests: [kept] })).toEqual([kept]);
    const { rows } = await owner.query('SELECT repository_digest FROM node_image WHERE node_id = $1', [thiefId]);
    expect(rows).toEqual([{ repository_digest: kept }]);
    expect(await call(thief, 'node_use_image', use)).toBe(true);
  });

  it('runs each executor once, on its own build, and says of it what can be', async () => {
    const held = await two.claimed(two.thief);
    const buildId = (await pin(thief, held.jobId, held.applicationId))?.id ?? '';
    const own = { jobId: held.jobId, buildId };
    expect(await code(startRun(thief, { ...own, buildId: victims.buildId }))).toBe(INSUFFICIENT_PRIVILEGE);
    expect(await code(startRun(thief, own, { enforcement: 'enforce' }))).toBe(CHECK_VIOLATION);
    expect(await code(startRun(thief, own, { profileVersionId: randomUUID() }))).toBe(CHECK_VIOLATION);
    expect(await startRun(thief, own, { enforcement: 'enforce', profileVersionId: randomUUID() })).toEqual({
      open: true,
      started: false,
    });
    expect(await code(startRun(thief, own, { selectionReason: 'x'.repeat(5000) }))).toBe('22001');
    expect(await code(startRun(thief, own, { position: 1 }))).toBe(INSUFFICIENT_PRIVILEGE);
    const runId = randomUUID();
    await startRun(thief, own, { id: runId });
    expect(await code(startRun(thief, own))).toBe(UNIQUE_VIOLATION);

    const append = (offset: number, text: string) =>
      call(thief, 'node_append_artifact', { runId, kind: 'stdout', offset }, Buffer.from(text));
    expect(await append(0, 'abc')).toBe(true);
    expect(await append(0, 'xyz')).toBe(true);
    expect(await code(append(4, 'e'))).toBe(CHECK_VIOLATION);
    expect(await code(call(thief, 'node_append_artifact', { runId, kind: 'trace', offset: 0 }, Buffer.from('x')))).toBe(
      CHECK_VIOLATION,
    );

    const finish = (exitCode: number) =>
      call(thief, 'node_finish_run', {
        ...{ runId, result: { outcome: 'exited', exitCode, landlockStatus: 'NOT_ENFORCED', denialsDropped: 0 } },
        ...{ artifacts: [], denials: [], phasesMs: { payload: 1, forged: 2 } },
      });
    expect(await finish(0)).toBe(true);
    expect(await finish(1)).toBe(false);
    expect(await append(3, 'd')).toBe(false);
    const { rows } = await owner.query('SELECT exit_code, phases_ms FROM executor_run WHERE id = $1', [runId]);
    expect(rows).toEqual([{ exit_code: 0, phases_ms: { payload: 1 } }]);
    expect(await code(call(thief, 'node_fail', { jobId: held.jobId, number: 1, code: 'made-up', message: 'm' }))).toBe(
      CHECK_VIOLATION,
    );
  });
});
