/** Porin's database on the Postgres of a stack: made, migrated, and with the URLs of its three roles. */
import { Connection, migrate } from '#lib/database';
import pg from 'pg';
import { type Instance } from './instance.js';
import { password } from './secret.js';

const DEFAULT_DATABASE = 'porin';

export interface DatabaseUrls {
  readonly ownerUrl: string;
  readonly apiUrl: string;
  readonly workerUrl: string;
}

/** A URL that names a database other than `postgres` means that one; else it is `porin`, which is made if need be. */
export function databaseUrls(instance: Instance, postgresUrl: string): DatabaseUrls {
  const given = new URL(postgresUrl).pathname.slice(1);
  const ownerUrl = changed(postgresUrl, { pathname: given === '' || given === 'postgres' ? DEFAULT_DATABASE : given });
  const as = (role: string) => changed(ownerUrl, { username: role, password: password(instance, role) });
  return { ownerUrl, apiUrl: as('porin_api'), workerUrl: as('porin_worker') };
}

export async function prepareDatabase(instance: Instance, postgresUrl: string): Promise<DatabaseUrls> {
  const urls = databaseUrls(instance, postgresUrl);
  await createDatabase(postgresUrl, decodeURIComponent(new URL(urls.ownerUrl).pathname.slice(1)));
  await migrate({
    ownerUrl: urls.ownerUrl,
    apiPassword: password(instance, 'porin_api'),
    workerPassword: password(instance, 'porin_worker'),
  });
  return urls;
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
