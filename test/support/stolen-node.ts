/** A database with two nodes, of which one was stolen: their sessions, what they call, and everything that is not the thief's. */
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { addTestNode, makeTestDatabase, nodeDatabaseUrl, type TestDatabase } from './database.js';
import { insertApplication, placedJob, type PlacedJobOptions } from './placed-job.js';

export const INSUFFICIENT_PRIVILEGE = '42501';
export const CHECK_VIOLATION = '23514';
export const UNIQUE_VIOLATION = '23505';
const IMAGE = 'registry/tool:1';
export const CONTENT = JSON.stringify({ architecture: 'x86_64', layerDiffIds: ['sha256:a'] });

export function digestOfContent(content: string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

export async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** The error's code, or 'no error'. */
export const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );

export async function call<T = unknown>(
  client: pg.Client,
  name: string,
  input: object,
  ...more: unknown[]
): Promise<T> {
  const { rows } = await client.query<{ answer: T }>(
    `SELECT porin.${name}($1${more.length > 0 ? ', $2' : ''}) AS answer`,
    [JSON.stringify(input), ...more],
  );
  return rows[0]?.answer as T;
}

export const pin = (client: pg.Client, jobId: string, applicationId: string, more: object = {}) =>
  call<{ id: string; applicationId: string; contentDigest: string } | null>(client, 'node_pin_build', {
    ...{ jobId, number: 1, position: 0, applicationId, content: CONTENT, repositoryDigest: null },
    ...more,
  });

export const startRun = (client: pg.Client, held: { jobId: string; buildId: string }, more: object = {}) =>
  call<{ open: boolean; started: boolean }>(client, 'node_start_run', {
    ...{ jobId: held.jobId, number: 1, id: randomUUID(), position: 0, buildId: held.buildId, profileVersionId: null },
    ...{ enforcement: 'none', monitoring: 'none', selectionReason: 'r', filterDigest: 'f', inputsDigest: 'i' },
    ...{ dataDigest: 'd', nodeFacts: {} },
    ...more,
  });

export interface HeldJob {
  readonly jobId: string;
  readonly applicationId: string;
  readonly buildId: string;
  readonly runId: string;
}

export interface NodeSession {
  /** Another one where a test has lost the first. */
  client: pg.Client;
  readonly id: string;
}

type JobOptions = Pick<PlacedJobOptions, 'cpuMilli' | 'diskBytes' | 'outputs'> & { readonly tenant?: string };

export class TwoNodes {
  private constructor(
    readonly database: TestDatabase,
    readonly owner: pg.Client,
    readonly thief: NodeSession,
    readonly victim: NodeSession,
  ) {}

  static async make(): Promise<TwoNodes> {
    const database = await makeTestDatabase();
    const owner = await connect(database.ownerUrl);
    const add = async (name: string, bounds: object) => {
      const credentials = await addTestNode(database.ownerUrl, name, bounds);
      const { rows } = await owner.query<{ id: string }>('SELECT id FROM node WHERE name = $1', [name]);
      return { client: await connect(nodeDatabaseUrl(database.ownerUrl, credentials)), id: rows[0]?.id ?? '' };
    };
    const thief = await add('thief', { slots: 2, cpuMilli: 3000, memoryBytes: 100, diskBytes: 100 });
    const victim = await add('victim', {});
    await owner.query(`UPDATE node SET registration_verified = true, state = 'READY', heartbeat_at = now()`);
    return new TwoNodes(database, owner, thief, victim);
  }

  async end(): Promise<void> {
    await Promise.all([this.owner.end(), this.thief.client.end(), this.victim.client.end()]);
    await this.database.drop();
  }

  /** So that the thief has room. */
  async loseThiefsAttempts(): Promise<void> {
    await this.owner.query(
      `UPDATE attempt SET state = 'LOST', ended_at = now() WHERE state IN ('OPEN', 'PUBLISHING') AND node_id = $1`,
      [this.thief.id],
    );
  }

  makeApplication(name: string = randomUUID(), image = IMAGE): Promise<string> {
    return insertApplication(this.owner, { tenant: 't', name, image });
  }

  placedJob(nodeId: string, applicationId: string, options: JobOptions = {}): Promise<string> {
    return placedJob(this.owner, { tenant: 't', nodeId, applicationId, image: IMAGE, ...options });
  }

  /** With an open attempt of the node's. */
  async claimed({ client, id }: NodeSession, options: JobOptions & { applicationId?: string } = {}) {
    const applicationId = options.applicationId ?? (await this.makeApplication());
    const jobId = await this.placedJob(id, applicationId, options);
    const claim = await call<object | null>(client, 'node_claim', { jobId, attempt: 1, leaseMs: 600_000 });
    if (claim === null) throw new Error('the node could not claim the job');
    return { jobId, applicationId };
  }

  /** With a run that goes on. */
  async running(node: NodeSession, options: JobOptions & { pinned?: object; run?: object } = {}): Promise<HeldJob> {
    const { jobId, applicationId } = await this.claimed(node, options);
    const buildId = (await pin(node.client, jobId, applicationId, options.pinned))?.id ?? '';
    const runId = randomUUID();
    const started = await startRun(node.client, { jobId, buildId }, { id: runId, ...options.run });
    if (!started.started) throw new Error('the run could not be started');
    return { jobId, applicationId, buildId, runId };
  }

  async tables(): Promise<readonly string[]> {
    const { rows } = await this.owner.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'porin'::regnamespace AND relkind IN ('r', 'p', 'v') ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  }

  /** Of every row there is, but for the thief's own. */
  async everythingElse(): Promise<string> {
    const parts: unknown[] = [];
    for (const table of await this.tables()) {
      const own = table === 'node' ? `WHERE id <> '${this.thief.id}'` : '';
      parts.push(
        table,
        (await this.owner.query(`SELECT each::text FROM porin.${table} AS each ${own} ORDER BY 1`)).rows,
      );
    }
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }
}
