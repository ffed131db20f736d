/** The API, the dispatcher and the worker as background processes on the services of a stack. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Connection } from '#lib/database';
import { DIST_DIR, NATIVE_DIR, ROOT } from '../setup/paths.js';
import { type DaemonPlace, type DaemonRecord, startDaemon, stopDaemon, waitUntilUp } from './daemon.js';
import { type DatabaseUrls } from './database.js';
import { freePort } from './free-port.js';
import { daemonPlace, type Instance } from './instance.js';
import { secretsKeyFile, signingKeyFiles } from './secret.js';
import { forgetSupervision, readSupervision, type Supervision } from './supervision.js';

const START_TIMEOUT_MS = 120_000;
const DRAIN_MS = 20_000;
/** Beyond its drain. */
const STOP_GRACE_MS = 20_000;
const USUAL_API_PORT = 8080;
/** More than one: after a crash, an earlier worker may hold the node's name for a moment. */
const ENDS_THAT_FAIL_A_START = 3;

export type ProgramName = 'api' | 'dispatcher' | 'worker';
export type Variables = Readonly<Record<string, string>>;

export interface ProgramSources {
  readonly database: DatabaseUrls;
  readonly redisUrl: string;
  readonly dockerHost: string;
  /** The worker's credentials. */
  readonly node: Variables;
  /** Wins over what this module would set. */
  readonly extra: Variables;
}

interface Program {
  readonly title: string;
  readonly place: (instance: Instance) => DaemonPlace;
  /** Returns once it is ready, with its URL where it has one, else with ''. */
  readonly start: (
    instance: Instance,
    variables: Variables,
    sources: ProgramSources,
    lastPort: number | undefined,
  ) => Promise<string>;
  readonly answers: (url: string) => Promise<boolean>;
  readonly stop: (record: DaemonRecord) => Promise<void>;
  /** What its supervisor, the process that the place names, knows about it. */
  readonly supervision: (instance: Instance) => Supervision;
}

/** Directories that jobs of a private stack may read from and write to, unless the environment names others. */
export function dataDirectories(instance: Instance): { inputs: string; outputs: string } {
  return { inputs: join(instance.directory, 'inputs'), outputs: join(instance.directory, 'outputs') };
}

/** On a machine of one's own, whoever may load an image into its engine may have it run. */
export function imageVariables() {
  return {
    PORIN_LOCAL_IMAGES: process.env.PORIN_LOCAL_IMAGES ?? '*',
    PORIN_IMAGE_REGISTRIES: process.env.PORIN_IMAGE_REGISTRIES ?? '',
  };
}

/** What the program needs; everything else comes from this process's own environment. */
export function programVariables(instance: Instance, name: ProgramName, sources: ProgramSources): Variables {
  const { inputs, outputs } = dataDirectories(instance);
  const keys = signingKeyFiles(instance);
  const shared = {
    // Of glibc's malloc: one heap for all threads of a program, which seldom need it, takes a tenth less memory.
    MALLOC_ARENA_MAX: '1',
    PORIN_REDIS_URL: sources.redisUrl,
    PORIN_INPUT_URL_PREFIXES: process.env.PORIN_INPUT_URL_PREFIXES ?? `${pathToFileURL(inputs).href}/`,
    PORIN_OUTPUT_URL_PREFIXES: process.env.PORIN_OUTPUT_URL_PREFIXES ?? `${pathToFileURL(outputs).href}/`,
    ...imageVariables(),
  };
  const approving = {
    PORIN_DATABASE_URL: sources.database.apiUrl,
    PORIN_SIGNING_KEY_FILE: keys.privateKeyFile,
    PORIN_APPROVAL_PUBLIC_KEY_FILE: keys.publicKeyFile,
    PORIN_SECRETS_KEY_FILE: secretsKeyFile(instance),
  };
  const own: Readonly<Record<ProgramName, Variables>> = {
    api: approving,
    dispatcher: approving,
    worker: {
      ...sources.node,
      DOCKER_HOST: sources.dockerHost,
      PORIN_WORK_DIR: join(instance.directory, 'work'),
      PORIN_RUN_DIR: join(instance.runDirectory, 'w'),
      PORIN_NATIVE_DIR: NATIVE_DIR,
      PORIN_APPROVAL_PUBLIC_KEY_FILE: keys.publicKeyFile,
      PORIN_DRAIN_MS: process.env.PORIN_DRAIN_MS ?? String(DRAIN_MS),
    },
  };
  return { ...shared, ...own[name], ...sources.extra };
}

/** A worker removes what an earlier one of its name left, so workers of two checkouts on one engine must differ in it. */
export function nodeName(instance: Instance): string {
  return basename(instance.runDirectory).replace(/^porin/, hostname());
}

/** Of the compiled code and of all variables the program could read: another one means a start anew. */
export function programFingerprint(variables: Variables): string {
  const given = Object.entries({ ...process.env, ...variables }).filter(([key]) => /^(PORIN_|NODE_|DOCKER_)/.test(key));
  return createHash('sha256')
    .update(readFileSync(join(DIST_DIR, '.sources-sha256')))
    .update(JSON.stringify(given.sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex');
}

export const PROGRAMS: Readonly<Record<ProgramName, Program>> = {
  api: {
    title: 'API',
    place: (instance) => programPlace(instance, 'api'),
    start: startApi,
    answers: apiAnswers,
    stop: stopProgram,
    supervision: (instance) => readSupervision(supervisionFile(instance, 'api')),
  },
  dispatcher: {
    title: 'Dispatcher',
    place: (instance) => programPlace(instance, 'dispatcher'),
    start: startDispatcher,
    // It listens nowhere either.
    answers: () => Promise.resolve(true),
    stop: stopProgram,
    supervision: (instance) => readSupervision(supervisionFile(instance, 'dispatcher')),
  },
  worker: {
    title: 'Worker',
    place: (instance) => programPlace(instance, 'worker'),
    start: startWorker,
    // It listens nowhere: that its process runs must do.
    answers: () => Promise.resolve(true),
    stop: stopProgram,
    supervision: (instance) => readSupervision(supervisionFile(instance, 'worker')),
  },
};

function programPlace(instance: Instance, name: ProgramName): DaemonPlace {
  return daemonPlace(instance, name, `--instance=${instance.directory}`);
}

function supervisionFile(instance: Instance, name: ProgramName): string {
  return join(instance.directory, `${name}.supervision.json`);
}

async function startApi(
  instance: Instance,
  variables: Variables,
  _sources: ProgramSources,
  lastPort: number | undefined,
): Promise<string> {
  const wanted = variables.PORIN_PORT ?? process.env.PORIN_PORT;
  const port = wanted ? Number(wanted) : await freePort(lastPort, USUAL_API_PORT);
  const url = `http://127.0.0.1:${port}`;
  await startProgram(instance, 'api', { ...variables, PORIN_PORT: String(port) }, () => apiAnswers(url));
  return url;
}

async function apiAnswers(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  return response?.ok ?? false;
}

/** A dispatcher is up once one leads: another one may, on the same database. */
function startDispatcher(instance: Instance, variables: Variables, sources: ProgramSources): Promise<string> {
  const leads = `SELECT FROM dispatcher_lease WHERE expires_at > clock_timestamp() AND $1::timestamptz IS NOT NULL`;
  return startSeen(instance, 'dispatcher', variables, sources, { sql: leads, values: [] });
}

/** A worker is up once its node has said so in the database, after we started it. */
function startWorker(instance: Instance, variables: Variables, sources: ProgramSources): Promise<string> {
  for (const path of [variables.PORIN_WORK_DIR ?? '', variables.PORIN_RUN_DIR ?? '']) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
  const isReady = `SELECT FROM node WHERE name = $2 AND state = 'READY' AND heartbeat_at > $1::timestamptz`;
  return startSeen(instance, 'worker', variables, sources, { sql: isReady, values: [variables.PORIN_NODE_NAME] });
}

/** Starts a program that listens nowhere: it is up once the statement, whose first parameter is the time before the start, finds a row. */
async function startSeen(
  instance: Instance,
  name: ProgramName,
  variables: Variables,
  { database }: ProgramSources,
  { sql, values }: { readonly sql: string; readonly values: readonly unknown[] },
): Promise<string> {
  const owner = new Connection({ connectionString: database.ownerUrl });
  await owner.connect();
  try {
    const { rows } = await owner.query<{ before: string }>('SELECT now()::text AS before');
    const isUp = async () => (await owner.query(sql, [rows[0]?.before, ...values])).rowCount === 1;
    await startProgram(instance, name, variables, isUp);
    return '';
  } finally {
    await owner.end();
  }
}

function stopProgram(record: DaemonRecord): Promise<void> {
  return stopDaemon(record, drainMs(record.pid) + STOP_GRACE_MS);
}

/** As the program was started, whatever the environment of this command says. */
function drainMs(pid: number): number {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const given = environment.find((each) => each.startsWith('PORIN_DRAIN_MS='))?.slice('PORIN_DRAIN_MS='.length);
    return Number(given || DRAIN_MS);
  } catch {
    return DRAIN_MS;
  }
}

/**
 * Of V8, MiB and percent (`node --v8-options`): with small heaps the programs take half the memory, and collect garbage more often.
 * They have no source maps, which are in memory from the start: what is compiled has the lines' own names.
 */
const NODE_FLAGS: Readonly<Record<ProgramName, readonly string[]>> = {
  api: ['--max-semi-space-size=4', '--heap-growing-percent=25'],
  dispatcher: ['--max-semi-space-size=2', '--heap-growing-percent=15'],
  worker: ['--max-semi-space-size=2', '--heap-growing-percent=15'],
};

/** Of a Node program with these arguments. */
export function supervisorCommand(statusFile: string, program: readonly string[]): string[] {
  const note = join(DIST_DIR, 'scripts/services/note-supervision.js');
  return ['/bin/sh', join(ROOT, 'scripts/services/supervisor.sh'), process.execPath, note, statusFile, ...program];
}

/** Starts the program under its supervisor, and does not wait for it. `within`: the command that runs both, such as nsenter. */
export function superviseProgram(
  instance: Instance,
  name: ProgramName,
  environment: NodeJS.ProcessEnv,
  within: readonly string[] = [],
): DaemonRecord {
  const where = programPlace(instance, name);
  const main = join(DIST_DIR, 'apps', name, 'src/main.js');
  const statusFile = supervisionFile(instance, name);
  forgetSupervision(statusFile);
  // The programs read no arguments: the last one is the mark by which we know ours.
  const command = supervisorCommand(statusFile, [...NODE_FLAGS[name], main, where.mark]);
  return startDaemon(where, [...within, ...command], environment);
}

async function startProgram(
  instance: Instance,
  name: ProgramName,
  variables: Variables,
  probe: () => Promise<boolean>,
): Promise<void> {
  for (const path of Object.values(dataDirectories(instance))) mkdirSync(path, { recursive: true, mode: 0o700 });
  const record = superviseProgram(instance, name, { ...process.env, ...variables });
  try {
    await waitUntilUp(`The ${PROGRAMS[name].title}`, {
      record,
      logFile: programPlace(instance, name).logFile,
      timeoutMs: START_TIMEOUT_MS,
      probe,
      hasFailed: () => readSupervision(supervisionFile(instance, name)).earlyEnds >= ENDS_THAT_FAIL_A_START,
    });
  } catch (error) {
    // A program that never came up is not left to be tried for ever.
    await stopProgram(record);
    throw error;
  }
}
