/** The API as a background process on a private stack: its database, its keys and its environment. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '#lib/database';
import pg from 'pg';
import { type DaemonRecord, startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { freePort } from './free-port.js';
import { type Instance, PORIN_DIR } from './instance.js';
import { type ServiceState } from './state.js';

const START_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 30_000;
const DATABASE = 'porin';

/** Makes the database and brings it to the current schema; returns what the API's programs need. */
export async function prepareApi(
  instance: Instance,
  postgresUrl: string,
  redisUrl: string,
): Promise<NodeJS.ProcessEnv> {
  const apiPassword = secret(instance, 'api-password');
  await createDatabase(postgresUrl);
  const ownerUrl = changed(postgresUrl, { pathname: `/${DATABASE}` });
  await migrate({ ownerUrl, apiPassword, workerPassword: secret(instance, 'worker-password') });
  return {
    PORIN_DATABASE_URL: changed(ownerUrl, { username: 'porin_api', password: apiPassword }),
    PORIN_REDIS_URL: redisUrl,
    PORIN_SIGNING_KEY_FILE: signingKeyFile(instance),
  };
}

export async function startApi(instance: Instance, environment: NodeJS.ProcessEnv): Promise<ServiceState> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(instance.logDirectory, 'api.log');
  const main = join(PORIN_DIR, 'dist/apps/api/src/main.js');
  const record = startDaemon({
    command: process.execPath,
    args: ['--enable-source-maps', main],
    mark: main,
    logFile,
    environment: { ...process.env, ...environment, PORIN_PORT: String(port) },
  });
  const probe = async () => (await fetch(`${url}/health/ready`)).ok;
  await waitUntilUp('The API', { record, logFile, timeoutMs: START_TIMEOUT_MS, probe });
  return { url, process: record };
}

export async function stopApi(record: DaemonRecord): Promise<void> {
  await stopDaemon(record, STOP_GRACE_MS);
}

async function createDatabase(postgresUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** Made once per instance, in a file of mode 0600. */
function secret(instance: Instance, name: string): string {
  const path = join(instance.directory, name);
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('hex'), { mode: 0o600 });
  return readFileSync(path, 'utf8');
}

function signingKeyFile(instance: Instance): string {
  const path = join(instance.directory, 'signing-key.pem');
  if (!existsSync(path)) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const publicPath = join(instance.directory, 'approval-public-key.pem');
    writeFileSync(publicPath, publicKey.export({ type: 'spki', format: 'pem' }));
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  return path;
}

function changed(url: string, parts: Partial<Pick<URL, 'pathname' | 'username' | 'password'>>): string {
  return Object.assign(new URL(url), parts).href;
}
