/** A round of placement reads as much of the database with a million jobs queued as with a thousand. */
import { makeDataSource } from '#lib/database';
import pg from 'pg';
import { type DataSource, type EntityManager } from 'typeorm';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Lanes } from '../../apps/dispatcher/src/placement/lanes.js';
import { Patience } from '../../apps/dispatcher/src/placement/patience.js';
import { Placement } from '../../apps/dispatcher/src/placement/place-jobs.js';
import { SecretSealer } from '../../apps/dispatcher/src/placement/seal-secrets.js';
import { makeTestDatabase, type TestDatabase } from '../support/database.js';

const FEW = 1_000;
const MANY = 1_000_000;
const TENANTS = 4;
const SLOTS = 4;
const ROUNDS = 45;
/** Of buffers with many to those with few. */
const MOST = 1.2;

let database: TestDatabase;
let owner: pg.Client;
let dataSource: DataSource;

beforeAll(async () => {
  database = await makeTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  dataSource = await makeDataSource({ url: database.apiUrl, applicationName: 'test' }).initialize();
  await owner.query(
    `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
     VALUES ('n', 'x86_64', 'READY', ${SLOTS}, 1000000, 1::bigint << 40, 1::bigint << 40, '{none}', '{}')`,
  );
});
afterAll(async () => {
  await dataSource.destroy();
  await owner.end();
  await database.drop();
});

/** Through the function that puts every job into the queue. Triggers that count for tenants would only take time here. */
async function queueJobs(from: number, to: number): Promise<void> {
  await owner.query('BEGIN; SET LOCAL session_replication_role = replica');
  await owner.query(
    `WITH made AS (
       INSERT INTO job (id, tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
         disk_bytes, wall_time_s, inputs, outputs, state, waiting_reason, priority)
       SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(place), 12, '0'))::uuid, 't' || place % ${TENANTS},
         ('00000000-0000-4000-8000-00000000000' || place % ${TENANTS})::uuid, 'submitter', 'd', 'n', 'x86_64', 1000, 1, 1, 60,
         '[]', '[]', 'QUEUED', 'waiting-for-slot', 0
       FROM generate_series(${from}, ${to}) AS place RETURNING *
     )
     INSERT INTO queue_entry (lane_id, priority, job_id, fence, wall_time_s, cpu_milli, memory_bytes, disk_bytes, ready_at)
     SELECT lane, 0, id, fence, wall_time_s, cpu_milli, memory_bytes, disk_bytes, queued_at
     FROM made JOIN (SELECT DISTINCT ON (tenant) tenant AS of, porin.lane_of(made) AS lane FROM made) AS lanes ON lanes.of = made.tenant
     ORDER BY id`,
  );
  await owner.query('COMMIT');
  await owner.query('VACUUM (ANALYZE) job');
  await owner.query('VACUUM (ANALYZE) queue_entry');
}

/** A manager that notes how many buffers each statement touches, hit or read, before it runs it. */
function measuring(manager: EntityManager, touched: Map<string, number>): EntityManager {
  const query = async (sql: string, parameters: unknown[] = []): Promise<unknown> => {
    await manager.query('SAVEPOINT measured');
    const [row]: { 'QUERY PLAN': { Plan: Record<string, number> }[] }[] = await manager.query(
      `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
      parameters,
    );
    await manager.query('ROLLBACK TO SAVEPOINT measured');
    const plan = row?.['QUERY PLAN'][0]?.Plan ?? {};
    touched.set(sql, (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0));
    return manager.query(sql, parameters);
  };
  return new Proxy(manager, { get: (target, name) => (name === 'query' ? query : Reflect.get(target, name)) });
}

/** Of each statement all that it touched in rounds that begin to read, go on, and read on. */
async function buffersOfRounds(): Promise<Map<string, number>> {
  await owner.query('UPDATE node SET heartbeat_at = now()');
  const secrets = new SecretSealer(undefined, pino({ level: 'silent' }));
  const terms = { tellMs: 2_500, reserveAfterMs: 60_000, usageHalfLifeMs: 3_600_000 };
  const placement = new Placement(new Patience(60_000), terms, secrets);
  const sums = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const touched = new Map<string, number>();
    const { placed } = await dataSource.transaction((manager) => placement.round(measuring(manager, touched)));
    expect(placed).toHaveLength(SLOTS);
    for (const [sql, count] of touched) sums.set(sql, (sums.get(sql) ?? 0) + count);
    const ids = placed.map(({ jobId }) => jobId);
    await owner.query(`UPDATE job SET state = 'CANCELED', ended_at = now() WHERE id = ANY ($1)`, [ids]);
  }
  return sums;
}

describe('a round of placement', () => {
  it(
    'touches as many buffers, statement by statement, with a million jobs queued as with a thousand',
    { timeout: 600_000 },
    async () => {
      await queueJobs(1, FEW);
      const few = await buffersOfRounds();
      await queueJobs(FEW + 1, MANY);
      const many = await buffersOfRounds();
      expect([...many.keys()]).toEqual([...few.keys()]);
      const grown = [...many].flatMap(([sql, count]) => {
        const before = few.get(sql) ?? 0;
        return count > MOST * before ? [{ sql, before, count }] : [];
      });
      expect(grown).toEqual([]);
    },
  );

  it('reads nothing again that was taken, though an old transaction keeps its rows', { timeout: 120_000 }, async () => {
    const old = new pg.Client({ connectionString: database.ownerUrl });
    await old.connect();
    await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM queue_entry LIMIT 1');
    const lanes = new Lanes();
    const touched = new Map<string, number>();
    const look = (isMeasured: boolean) =>
      dataSource.transaction(async (manager) => {
        const found = await lanes.look(isMeasured ? measuring(manager, touched) : manager, 100, 0);
        return found.flatMap(({ candidates }) => candidates.map(({ jobId }) => jobId));
      });
    const most = () => Math.max(...touched.values());
    await look(true);
    const before = most();
    for (let round = 0; round < 100; round++) {
      const ids = await look(false);
      expect(ids.length).toBeGreaterThan(100);
      await owner.query('DELETE FROM queue_entry WHERE job_id = ANY ($1)', [ids]);
      lanes.forget(new Set(ids));
    }
    touched.clear();
    await look(true);
    expect(most()).toBeLessThanOrEqual(MOST * before);
    await old.end();
  });
});
