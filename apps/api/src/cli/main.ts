/** The administrators' command line: the schema, API keys, and what holds for a tenant. */
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { ApiKey, makeDataSource, migrate, type Role } from '#lib/database';
import { UNKNOWN_CONTENT } from '#lib/profiles';
import { generateApiKey, hashApiKey } from '../auth/api-key.js';
import { changeTenant, TENANT_DEFAULTS, type TenantSettings, tenantSettings } from '../tenant/tenant-settings.js';

const HELP = `usage: porin <command>
  migrate                       bring the database to the current schema (PORIN_OWNER_DATABASE_URL,
                                PORIN_API_PASSWORD and PORIN_WORKER_PASSWORD set the roles' passwords)
  key create --role <role>      make an API key and print it, once (PORIN_DATABASE_URL)
      --name <text>             what it is for              (default: the role)
      --tenant <name>           whose jobs it sees          (default: default)
      --days <number>           until it expires            (default: 365)
  key list                      all keys, without the keys themselves
  key revoke <id>               make a key useless at once
  tenant show                   what holds for all jobs and versions of a tenant
      --tenant <name>           (default: default)
  tenant set                    change it; PORIN_DATABASE_URL, as for keys
      --unknown-content <what>  learn, hold or refuse: what jobs get whose image is of no application
      --four-eyes <on|off>      whether another person must approve than who proposed, or submitted the jobs
      --tenant <name>           (default: default)
roles: submitter, reviewer, admin`;

const ROLES: readonly string[] = ['submitter', 'reviewer', 'admin'] satisfies Role[];
const ON_OR_OFF = ['on', 'off'] as const;
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

interface TenantOptions {
  readonly tenant: string;
  readonly 'unknown-content'?: string | undefined;
  readonly 'four-eyes'?: string | undefined;
}

async function showTenant({ tenant }: TenantOptions): Promise<void> {
  printTenant(tenant, await withDatabase((manager) => tenantSettings(manager, tenant)));
}

async function setTenant(options: TenantOptions): Promise<void> {
  const { tenant } = options;
  const unknownContent = oneOf('--unknown-content', UNKNOWN_CONTENT, options['unknown-content']);
  const fourEyes = oneOf('--four-eyes', ON_OR_OFF, options['four-eyes']);
  if (unknownContent === undefined && fourEyes === undefined) {
    throw new UsageError('tenant set needs --unknown-content or --four-eyes');
  }
  const change = { unknownContent, fourEyes: fourEyes && fourEyes === 'on' };
  const after = await withDatabase((database) =>
    database.transaction((manager) => changeTenant(manager, { tenant, actor: 'command line' }, change)),
  );
  printTenant(tenant, after);
}

function oneOf<T extends string>(option: string, words: readonly T[], given: string | undefined): T | undefined {
  if (given === undefined) return undefined;
  const word = words.find((known) => known === given);
  if (word === undefined) throw new UsageError(`${option} must be one of ${words.join(', ')}`);
  return word;
}

function printTenant(tenant: string, { unknownContent, fourEyes }: TenantSettings): void {
  const onOrOff = (is: boolean): string => (is ? 'on' : 'off');
  console.log(`tenant\t${tenant}`);
  console.log(`unknown content\t${unknownContent}\t(default: ${TENANT_DEFAULTS.unknownContent})`);
  console.log(`four eyes\t${onOrOff(fourEyes)}\t(default: ${onOrOff(TENANT_DEFAULTS.fourEyes)})`);
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
      'unknown-content': { type: 'string' },
      'four-eyes': { type: 'string' },
    },
  });
  const commands: Readonly<Record<string, () => Promise<void>>> = {
    migrate: runMigrations,
    'key create': () => createKey(values),
    'key list': listKeys,
    'key revoke': () => revokeKey(positionals[2]),
    'tenant show': () => showTenant(values),
    'tenant set': () => setTenant(values),
  };
  const command = commands[positionals.slice(0, positionals[0] === 'migrate' ? 1 : 2).join(' ')];
  if (values.help) console.log(HELP);
  else if (!command) throw new UsageError(`unknown command\n${HELP}`);
  else await command();
} catch (error) {
  console.error(`porin: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
