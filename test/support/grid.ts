/** A whole grid for one test file: the real API, real workers as processes of their own, and what tests ask of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type NodeBounds, nodeVariables } from '#lib/database';
import { FINAL_STATES } from '#lib/jobs';
import { MESSAGE_OPTIONS, queueConnection, queueName } from '#lib/queue';
import { Queue } from 'bullmq';
import Docker from 'dockerode';
import { Redis } from 'ioredis';
import supertest from 'supertest';
import { buildTestImage } from '../../scripts/images/build-image.js';
import { CACHE_DIR, DIST_DIR, NATIVE_DIR } from '../../scripts/setup/paths.js';
import { startTestApi, type TestApi } from './api.js';
import { addTestNode } from './database.js';
import { type TestDatabase } from './database.js';
import { required } from './environment.js';
import { eventually } from './eventually.js';

/** A Redis database of the grids' own, so that no other test's messages reach a worker. */
const REDIS_DATABASE = 7;
export const FINAL: readonly string[] = FINAL_STATES;

/** As the API answers it; tests name the members they look at. */
export type JobView = Record<string, unknown> & {
  readonly id: string;
  readonly state: string;
  readonly waitingReason: string | null;
  readonly errorCode: string | null;
  readonly attempts: readonly { readonly number: number; readonly state: string; readonly errorCode: string | null }[];
  readonly runs: readonly RunView[];
  readonly outputs: readonly { readonly path: string; readonly url: string; readonly sha256: string }[];
};
export interface RunView {
  readonly id: string;
  readonly buildId: string;
  readonly enforcement: string;
  readonly monitoring: string;
  readonly outcome: string;
  readonly exitCode: number | null;
  readonly wallUs: number | null;
  readonly callCount: number | null;
  readonly phasesMs: Readonly<Record<string, number>>;
  readonly profileVersionId: string | null;
  readonly denials: readonly { readonly call: string; readonly description: string; readonly count: number }[];
  readonly selectionReason: string;
  readonly landlockStatus: string;
  readonly artifacts: readonly {
    readonly kind: string;
    readonly bytes: number;
    readonly sha256: string | null;
    readonly truncated: boolean;
  }[];
  readonly recording: { readonly partialReasons: readonly string[] } | null;
}

export interface EarlierGrid {
  readonly database: TestDatabase;
  /** PEM */
  readonly signingKey: string;
  readonly keys: Readonly<Record<'admin' | 'submitter', string>>;
}

export class Grid {
  readonly inputs: string;
  readonly outputs: string;
  readonly docker = new Docker({ socketPath: required('DOCKER_HOST').replace(/^unix:\/\//, '') });
  readonly #workers: TestWorker[] = [];
  readonly #nodes = new Map<string, Readonly<Record<string, string>>>();

  private constructor(
    readonly api: TestApi,
    readonly redisUrl: string,
    readonly image: string,
    private readonly directory: string,
    private readonly keys: Readonly<Record<'admin' | 'submitter', string>>,
  ) {
    this.inputs = join(directory, 'inputs');
    this.outputs = join(directory, 'outputs');
  }

  /** With keys of its own, unless a grid that was elsewhere goes on. `settings`: of the API. `database`: by default a fresh one. */
  static async start(
    settings: Record<string, string> = {},
    earlier?: EarlierGrid,
    database = earlier?.database,
  ): Promise<Grid> {
    const directory = mkdtempSync(join(tmpdir(), 'porin-grid-'));
    for (const name of ['inputs', 'outputs']) mkdirSync(join(directory, name));
    const privateKey = earlier ? createPrivateKey(earlier.signingKey) : generateKeyPairSync('ed25519').privateKey;
    const publicKey = createPublicKey(privateKey);
    const [privateFile, publicFile] = [join(directory, 'private.pem'), join(directory, 'public.pem')];
    writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
    const redisUrl = `${required('PORIN_TEST_REDIS_URL')}/${REDIS_DATABASE}`;
    const redis = new Redis(redisUrl);
    await redis.flushdb();
    redis.disconnect();
    const api = await startTestApi({ ...apiSettings(directory, redisUrl), ...settings }, database);
    const docker = new Docker({ socketPath: required('DOCKER_HOST').replace(/^unix:\/\//, '') });
    const { reference } = await buildTestImage({ docker, cacheDir: CACHE_DIR, log: console.log });
    const keys = earlier?.keys ?? {
      admin: await api.makeKey({ role: 'admin' }),
      submitter: await api.makeKey({ role: 'submitter' }),
    };
    return new Grid(api, redisUrl, reference, directory, keys);
  }

  /** Of the key that signs approvals, and of those that workers trust. */
  get keyFiles(): { signingKey: string; publicKeys: string } {
    return { signingKey: join(this.directory, 'private.pem'), publicKeys: join(this.directory, 'public.pem') };
  }

  /** Signs approvals. */
  get signingKeyFile(): string {
    return join(this.directory, 'private.pem');
  }

  /** Nothing of it runs; the database stays. `moveTo` goes on. */
  async pause(): Promise<void> {
    await this.stopWorkers();
    await this.api.pause();
  }

  /** The same keys and directories on another database, as after a restore. This grid is stopped; the database stays. */
  async moveTo(database: TestDatabase): Promise<Grid> {
    await this.stopWorkers();
    await this.api.stop();
    const api = await startTestApi(apiSettings(this.directory, this.redisUrl), database);
    return new Grid(api, this.redisUrl, this.image, this.directory, this.keys);
  }

  /** The environment of the node, which is added where it is not there. */
  async node(name: string, bounds: NodeBounds = {}): Promise<Readonly<Record<string, string>>> {
    const { ownerUrl } = this.api.database;
    const known = this.#nodes.get(name);
    if (known) return known;
    const credentials = await addTestNode(ownerUrl, name, bounds);
    const variables = nodeVariables(credentials, { databaseUrl: ownerUrl, redisUrl: this.redisUrl });
    this.#nodes.set(name, variables);
    return variables;
  }

  /** Resolves when the worker takes jobs. Nodes of one name follow one another. */
  async startWorker(nodeName: string, settings: Record<string, string> = {}): Promise<TestWorker> {
    const run = mkdtempSync('/tmp/pw-');
    const node = await this.node(nodeName);
    const child = spawn(process.execPath, ['--enable-source-maps', join(DIST_DIR, 'apps/worker/src/main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        ...node,
        DOCKER_HOST: required('DOCKER_HOST'),
        PORIN_WORK_DIR: this.workDirectory(nodeName),
        PORIN_RUN_DIR: run,
        PORIN_NATIVE_DIR: NATIVE_DIR,
        PORIN_APPROVAL_PUBLIC_KEY_FILE: this.keyFiles.publicKeys,
        PORIN_INPUT_URL_PREFIXES: `${pathToFileURL(this.inputs).href}/`,
        PORIN_OUTPUT_URL_PREFIXES: `${pathToFileURL(this.outputs).href}/`,
        PORIN_IMAGE_REGISTRIES: '127.0.0.1:*',
        PORIN_LOCAL_IMAGES: '*',
        PORIN_DRAIN_MS: '30000',
        ...settings,
      },
    });
    const worker = new TestWorker(child, run);
    this.#workers.push(worker);
    await worker.ready();
    return worker;
  }

  async nodeId(name: string): Promise<string> {
    const { rows } = await this.api.owner.query<{ id: string }>('SELECT id FROM node WHERE name = $1', [name]);
    return rows[0]?.id ?? '';
  }

  /** As somebody who may write to the node's queue. */
  async send(nodeName: string, ...messages: readonly Record<string, unknown>[]): Promise<void> {
    const queue = new Queue(queueName(await this.nodeId(nodeName)), {
      connection: queueConnection(this.redisUrl, { failFast: false }),
    });
    for (const message of messages) {
      await queue.add('attempt', message, { ...MESSAGE_OPTIONS, jobId: `forged-${randomUUID()}` });
    }
    await queue.close();
  }

  /** Where its worker keeps what attempts stage. */
  workDirectory(nodeName: string): string {
    return join(this.directory, `work-${nodeName}`);
  }

  http(
    method: 'get' | 'post' | 'patch' | 'put' | 'delete',
    path: string,
    key: 'admin' | 'submitter' = 'admin',
  ): supertest.Test {
    return supertest(this.api.app.getHttpServer())
      [method](path)
      .set({ Authorization: `Bearer ${this.keys[key]}` });
  }

  /** A job of one executor, `sh -c script` in the test image unless the request says otherwise. */
  script(script: string, request: object = {}): object {
    return { executors: [{ image: this.image, command: ['/bin/sh', '-c', script] }], ...request };
  }

  async submit(script: string, request: object = {}, key: 'admin' | 'submitter' = 'submitter'): Promise<string> {
    const response = await this.http('post', '/api/v1/jobs', key).send(this.script(script, request));
    if (response.status !== 201) throw new Error(`${response.status} ${response.text}`);
    return (response.body as { id: string }).id;
  }

  /** The code by which a job is refused: by the API at once where it can know, else by the worker. */
  async refusal(request: object): Promise<string | null> {
    const response = await this.http('post', '/api/v1/jobs', 'submitter').send(request);
    if (response.status !== 201) return (response.body as { code: string }).code;
    const job = await this.waitFor((response.body as { id: string }).id, ...FINAL);
    if (job.runs.length > 0) throw new Error(`something was run: ${JSON.stringify(job.runs)}`);
    return job.errorCode;
  }

  async job(id: string): Promise<JobView> {
    return (await this.http('get', `/api/v1/jobs/${id}`).expect(200)).body as JobView;
  }

  /** Waits for any of the states; fails at once when the job has ended in another. */
  async waitFor(id: string, ...states: string[]): Promise<JobView> {
    let job = await this.job(id);
    await eventually(async () => {
      job = await this.job(id);
      if (!states.includes(job.state) && !FINAL.includes(job.state))
        throw new Error(`the job is ${job.state}: ${JSON.stringify(job.attempts)}, ${job.waitingReason}`);
    });
    if (!states.includes(job.state)) throw new Error(`the job ended: ${JSON.stringify(job, null, 1)}`);
    return job;
  }

  async run(script: string, request: object = {}, key: 'admin' | 'submitter' = 'submitter'): Promise<JobView> {
    return this.waitFor(await this.submit(script, request, key), ...FINAL);
  }

  async log(id: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    return (await this.http('get', `/api/v1/jobs/${id}/logs?stream=${stream}`).expect(200)).text;
  }

  output(name: string): { url: string; path: string } {
    return { url: pathToFileURL(join(this.outputs, name)).href, path: `/out/${name}` };
  }

  published(name: string): string {
    return readFileSync(join(this.outputs, name), 'utf8');
  }

  /** Containers of jobs, running or not. */
  async containers(): Promise<number> {
    return (await this.docker.listContainers({ all: true, filters: { label: ['porin.job'] } })).length;
  }

  async stopWorkers(): Promise<void> {
    for (const worker of this.#workers) await worker.stop();
  }

  async stop(): Promise<void> {
    await this.stopWorkers();
    await this.api.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function apiSettings(directory: string, redisUrl: string): Record<string, string> {
  return {
    PORIN_SIGNING_KEY_FILE: join(directory, 'private.pem'),
    PORIN_REDIS_URL: redisUrl,
    PORIN_CLAIM_PATIENCE_MS: '10000',
  };
}

export class TestWorker {
  log = '';
  readonly #exited: Promise<unknown>;

  constructor(
    readonly child: ChildProcess,
    private readonly runDirectory: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.log = (this.log + text).slice(-100_000)));
    }
    this.#exited = once(child, 'exit');
  }

  /** Rejects with the log when the process ends before it takes jobs. */
  async ready(): Promise<void> {
    const ended = this.#exited.then(() => true);
    await eventually(async () => {
      const over = await Promise.race([ended, Promise.resolve(false)]);
      if (!over && !this.log.includes('takes jobs')) throw new Error(`not ready:\n${this.log}`);
    });
    if (!this.log.includes('takes jobs')) throw new Error(`the worker ended:\n${this.log}`);
  }

  /** Resolves when the process has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.child.kill(signal);
    await this.#exited;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGCONT');
      await this.end('SIGTERM');
    }
    rmSync(this.runDirectory, { recursive: true, force: true });
  }
}
