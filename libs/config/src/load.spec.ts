import { describe, expect, it } from 'vitest';
import { type z } from 'zod';
import { renderEnvExample } from './example.js';
import { ConfigError, loadApiConfig, loadWorkerConfig } from './load.js';
import { apiVariables, workerVariables } from './variables.js';

const api = {
  PORIN_DATABASE_URL: 'postgres://porin_api:secret@127.0.0.1/porin',
  PORIN_REDIS_URL: 'redis://:secret@127.0.0.1:6379',
  PORIN_SIGNING_KEY_FILE: '/etc/porin/signing.pem',
};

describe('configuration', () => {
  it('fills defaults and freezes the result', () => {
    const config = loadApiConfig(api);
    expect(config.PORIN_PORT).toBe(8080);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('lists every problem at once', () => {
    try {
      loadApiConfig({ PORIN_PORT: '99999', PORIN_REDIS_URL: 'http://x' });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const { problems } = error as ConfigError;
      expect(problems.map((problem) => problem.split(':')[0])).toEqual(
        expect.arrayContaining(['PORIN_PORT', 'PORIN_REDIS_URL', 'PORIN_DATABASE_URL', 'PORIN_SIGNING_KEY_FILE']),
      );
    }
  });

  it.each([
    ['https://portal.example.org, http://127.0.0.1:5173', true],
    ['', true],
    ['*', false],
    ['null', false],
    ['https://portal.example.org/', false],
    ['https://portal.example.org:443', false],
    ['https://Portal.example.org', false],
    ['portal.example.org', false],
    ['ftp://portal.example.org', false],
  ])('takes for origins of pages what browsers send: %j', (origins, isTaken) => {
    const load = () => loadApiConfig({ ...api, PORIN_CORS_ORIGINS: origins });
    if (isTaken) expect(load().PORIN_CORS_ORIGINS).toEqual(origins.split(/, |^$/).filter((each) => each !== ''));
    else expect(load).toThrow('PORIN_CORS_ORIGINS');
  });

  it.each([
    [undefined, 'https://porin.invalid'],
    ['https://grid.example.org/about', 'https://grid.example.org/about'],
    ['urn:grid', undefined],
    ['mailto:grid@example.org', undefined],
    ['grid.example.org', undefined],
  ])('takes for the page of an organization what clients of TES read: %j', (given, taken) => {
    const load = () => loadApiConfig(given === undefined ? api : { ...api, PORIN_ORGANIZATION_URL: given });
    if (taken) expect(load().PORIN_ORGANIZATION_URL).toBe(taken);
    else expect(load).toThrow('PORIN_ORGANIZATION_URL: must be an http or https URL');
  });

  it('never prints the value of a bad variable', () => {
    expect(() => loadApiConfig({ ...api, PORIN_DATABASE_URL: 'mysql://root:hunter2@db' })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('hunter2') as string }) as Error,
    );
  });

  it('refuses a run directory whose socket paths would be too long', () => {
    const worker = {
      PORIN_DATABASE_URL: api.PORIN_DATABASE_URL,
      PORIN_NODE_KEY: 'a2V5',
      PORIN_REDIS_URL: api.PORIN_REDIS_URL,
      PORIN_WORK_DIR: '/w',
      PORIN_NATIVE_DIR: '/n',
      PORIN_APPROVAL_PUBLIC_KEY_FILE: '/k',
    };
    expect(() => loadWorkerConfig({ ...worker, PORIN_RUN_DIR: `/${'r'.repeat(60)}` })).toThrow('PORIN_RUN_DIR');
    expect(loadWorkerConfig({ ...worker, PORIN_RUN_DIR: '/run/porin' }).PORIN_LEASE_MS).toBe(30_000);
  });

  const worker = {
    PORIN_DATABASE_URL: api.PORIN_DATABASE_URL,
    PORIN_NODE_KEY: 'a2V5',
    PORIN_REDIS_URL: api.PORIN_REDIS_URL,
    PORIN_WORK_DIR: '/w',
    PORIN_NATIVE_DIR: '/n',
    PORIN_RUN_DIR: '/run/porin',
    PORIN_APPROVAL_PUBLIC_KEY_FILE: '/k',
  };

  it('reads where buckets are', () => {
    const endpoints = [
      { prefix: 's3://lab/', endpoint: 'http://10.0.0.5:9000', style: 'virtual' },
      { prefix: 's3://archive/raw', region: 'eu-central-1' },
    ];
    const config = loadWorkerConfig({ ...worker, PORIN_S3_ENDPOINTS: JSON.stringify(endpoints) });
    expect(config.PORIN_S3_ENDPOINTS).toEqual(endpoints);
  });

  it.each([
    'lab=http://10.0.0.5',
    '{}',
    '[{"endpoint":"https://s3.example.org"}]',
    '[{"prefix":"https://lab/"}]',
    '[{"prefix":"s3://Lab/"}]',
    '[{"prefix":"s3://lab/","endpoint":"https://user:hunter2@s3.example.org"}]',
    '[{"prefix":"s3://lab/","endpoint":"https://s3.example.org/path"}]',
    '[{"prefix":"s3://lab/","style":"dns"}]',
    '[{"prefix":"s3://lab/","secretAccessKey":"hunter2"}]',
  ])('refuses %s as the place of buckets, without quoting it', (text) => {
    const load = () => loadWorkerConfig({ ...worker, PORIN_S3_ENDPOINTS: text });
    expect(load).toThrow('PORIN_S3_ENDPOINTS');
    expect(load).not.toThrow('hunter2');
  });

  it('renders the same example file on every machine', () => {
    const text = renderEnvExample();
    expect(text).toContain('PORIN_SIGNING_KEY_FILE=\n');
    expect(text).toContain("#PORIN_SLOTS=<this machine's cores>");
  });

  it('shows every default in the example file as it is read', () => {
    const fields = { ...apiVariables.shape, ...workerVariables.shape } as Record<string, z.ZodType>;
    const shown = [...renderEnvExample().matchAll(/^#([A-Z_]+)=([^<\n]+)$/gm)];
    expect(shown.length).toBeGreaterThan(20);
    for (const [line, name = '', text] of shown) {
      expect(fields[name]?.parse(text), line).toEqual(fields[name]?.parse(undefined));
    }
  });
});
