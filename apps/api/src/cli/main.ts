/** The administrators' command line: the schema and API keys. */
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { ApiKey, makeDataSource, migrate, type Role } from '#lib/database';
import { generateApiKey, hashApiKey } from '../auth/api-key.js';

const HELP = `usage: porin <command>
  migrate                       bring the database to the current schema (PORIN_OWNER_DATABASE_URL,
                                PORIN_API_PASSWORD and PORIN_WORKER_PASSWORD set the roles' passwords)
  key create --role <role>      make an API key and print it, once (PORIN_DATABASE_URL)
      --name <text>             what it is for              (default: the role)
      --tenant <name>           whose jobs it sees          (default: default)
      --days <number>           until it expires            (default: 365)
  key list                      all keys, without the keys themselves
  key revoke <id>               make a key useless at once
roles: submitter, reviewer, admin`;

const ROLES: readonly string[] = ['submitter', 'reviewer', 'admin'] satisfies Role[];
const MS_PER_DAY = 86_400_000;

class UsageError extends Error {}

function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new UsageError(`${name} is not set`);
  return value;
}

async function withDatabase<T>(work: (manager: import('typeorm').EntityManager) => Promise<T>): Promise<T> {
  const url = environment('PORIN_DATABASE_URL');
  const dataSource = await makeDataSource({ url, applicationName: 'porin-cli', poolSize: 1 }).initialize();
  try {
    return await work(dataSource.manager);
  } finally {
    await dataSource.destroy();
  }
}

async function createKey(options: { role?: string; name?: string; tenant: string; days: string }): Promise<void> {
  const { role = '', tenant } = options;
  if (!ROLES.includes(role)) throw new UsageError(`--role must be one of ${ROLES.join(', ')}`);
  const days = Number(options.days);
  if (!Number.isInteger(days) || days < 1 || days > 36_500)
    throw new UsageError('--days must be a whole number from 1 to 36500');
  const key = generateApiKey();
  await withDatabase((manager) =>
    manager.insert(ApiKey, {
      tenant,
      name: options.name ?? role,
      role: role as Role,
      sha256: hashApiKey(key),
      expiresAt: new Date(Date.now() + days * MS_PER_DAY),
    }),
  );
  console.log(key);
}

async function listKeys(): Promise<void> {
  const keys = await withDatabase((manager) => manager.find(ApiKey, { order: { createdAt: 'ASC' } }));
  for (const key of keys) {
    const state = key.revokedAt ? 'revoked' : key.expiresAt.getTime() < Date.now() ? 'expired' : 'valid';
    console.log([key.id, key.tenant, key.role, state, key.expiresAt.toISOString(), key.name].join('\t'));
  }
}

async function revokeKey(id: string | undefined): Promise<void> {
  if (id === undefined) throw new UsageError('key revoke needs the id that "key list" prints');
  const result = await withDatabase((manager) => manager.update(ApiKey, { id }, { revokedAt: new Date() }));
  if (result.affected === 0) throw new UsageError(`there is no key ${id}`);
}

async function runMigrations(): Promise<void> {
  const { PORIN_API_PASSWORD: apiPassword, PORIN_WORKER_PASSWORD: workerPassword } = process.env;
  await migrate({
    ownerUrl: environment('PORIN_OWNER_DATABASE_URL'),
    ...(apiPassword ? { apiPassword } : {}),
    ...(workerPassword ? { workerPassword } : {}),
  });
  console.log('the schema is up to date');
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      role: { type: 'string' },
      name: { type: 'string' },
      tenant: { type: 'string', default: 'default' },
      days: { type: 'string', default: '365' },
    },
  });
  const commands: Readonly<Record<string, () => Promise<void>>> = {
    migrate: runMigrations,
    'key create': () => createKey(values),
    'key list': listKeys,
    'key revoke': () => revokeKey(positionals[2]),
  };
  const command = commands[positionals[0] === 'key' ? positionals.slice(0, 2).join(' ') : (positionals[0] ?? '')];
  if (values.help) console.log(HELP);
  else if (!command) throw new UsageError(`unknown command\n${HELP}`);
  else await command();
} catch (error) {
  console.error(`porin: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
