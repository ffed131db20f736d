/** Porin's database on the Postgres of a stack: made, migrated, with the URLs of its owner and its API, and the node's credentials. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addNode, Connection, findNode, migrate, type NodeCredentials, nodeVariables, rekeyNode } from '#lib/database';
import { nodeArchitecture } from '#lib/profiles';
import pg from 'pg';
import { type Instance } from './instance.js';
import { password, writeWhole } from './secret.js';

const DEFAULT_DATABASE = 'porin';

export interface DatabaseUrls {
  readonly ownerUrl: string;
  readonly apiUrl: string;
}

/** A URL that names a database other than `postgres` means that one; else it is `porin`, which is made if need be. */
export function databaseUrls(instance: Instance, postgresUrl: string): DatabaseUrls {
  const given = new URL(postgresUrl).pathname.slice(1);
  const ownerUrl = changed(postgresUrl, { pathname: given === '' || given === 'postgres' ? DEFAULT_DATABASE : given });
  const apiUrl = changed(ownerUrl, { username: 'porin_api', password: password(instance, 'porin_api') });
  return { ownerUrl, apiUrl };
}

export async function prepareDatabase(instance: Instance, postgresUrl: string): Promise<DatabaseUrls> {
  const urls = databaseUrls(instance, postgresUrl);
  await createDatabase(postgresUrl, decodeURIComponent(new URL(urls.ownerUrl).pathname.slice(1)));
  await migrate({ ownerUrl: urls.ownerUrl, apiPassword: password(instance, 'porin_api') });
  return urls;
}

/** The environment of the node of this machine: what this instance has kept where it still opens the database, else new. */
export async function prepareNode(
  instance: Instance,
  name: string,
  urls: { database: DatabaseUrls; redisUrl: string },
): Promise<Readonly<Record<string, string>>> {
  const path = join(instance.directory, 'secrets', `node-${name}.json`);
  const as = (credentials: NodeCredentials) =>
    nodeVariables(credentials, { databaseUrl: urls.database.ownerUrl, redisUrl: urls.redisUrl });
  if (existsSync(path)) {
    const kept = as(JSON.parse(readFileSync(path, 'utf8')) as NodeCredentials);
    if (await opens(kept.PORIN_DATABASE_URL ?? '')) return kept;
  }
  const owner = new Connection({ connectionString: urls.database.ownerUrl });
  await owner.connect();
  try {
    const isKnown = Boolean((await findNode(owner, name))?.roleName);
    const made = isKnown
      ? await rekeyNode(owner, name, 'npm start')
      : await addNode(owner, { name, architecture: nodeArchitecture(process.arch), bounds: {} }, 'npm start');
    writeWhole(path, JSON.stringify(made));
    return as(made);
  } finally {
    await owner.end();
  }
}

/** Comes after the password was accepted: the node's worker has all the connections that the role may have. */
const TOO_MANY_CONNECTIONS = '53300';

/** As a node's role. */
async function opens(databaseUrl: string): Promise<boolean> {
  const client = new Connection({ connectionString: databaseUrl });
  try {
    await client.connect();
    await client.query(`SELECT porin.node_schema('{}')`);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === TOO_MANY_CONNECTIONS;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * On a grid of one machine that somebody has just started, jobs on any image are learned from, until an administrator says
 * otherwise: true where nobody has said anything about the default tenant yet.
 */
export async function learnUnknownContent(ownerUrl: string): Promise<boolean> {
  const client = new Connection({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `WITH setting AS (
         INSERT INTO tenant_setting (tenant, unknown_content) VALUES ('default', 'learn') ON CONFLICT DO NOTHING
         RETURNING tenant, unknown_content
       )
       INSERT INTO audit (tenant, actor, action, subject_type, subject_id, detail)
       SELECT tenant, 'npm start', 'tenant.change', 'tenant', tenant,
         jsonb_build_object('after', jsonb_build_object('unknownContent', unknown_content))
       FROM setting`,
    );
    return rowCount === 1;
  } finally {
    await client.end();
  }
}

async function createDatabase(postgresUrl: string, name: string): Promise<void> {
  const client = new Connection({ connectionString: postgresUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

function changed(url: string, parts: Partial<Pick<URL, 'pathname' | 'username' | 'password'>>): string {
  return Object.assign(new URL(url), parts).href;
}
