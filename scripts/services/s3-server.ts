/** A real S3 server (versitygw) on loopback, for tests and the demo, whose buckets are directories that one may look into. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { type Credential, type S3Endpoint } from '#lib/staging';
import { versitygw } from '../setup/versitygw.js';
import { freePort } from './free-port.js';

/** Of hooks that start one: the first of a checkout builds the program. */
export const S3_START_MS = 1_200_000;

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** Where the server keeps the parts of uploads. */
const UPLOADS = '.sgwtmp/multipart';

export class S3Server {
  readonly accessKeyId = 'porin-test';
  readonly secretAccessKey = randomUUID();
  readonly #root = mkdtempSync(join(tmpdir(), 'porin-s3-'));
  #program: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  /** `virtualDomain`: buckets are names below it too. */
  static async start(virtualDomain = 's3.test'): Promise<S3Server> {
    const program = await versitygw();
    const server = new S3Server(await freePort());
    mkdirSync(join(server.#root, 'buckets'));
    mkdirSync(join(server.#root, 'meta'));
    const place = ['posix', '--sidecar', join(server.#root, 'meta'), join(server.#root, 'buckets')];
    const domain = ['--virtual-domain', `${virtualDomain}:${server.port}`];
    server.#program = spawn(program, ['--quiet', '--port', `127.0.0.1:${server.port}`, ...domain, ...place], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ROOT_ACCESS_KEY: server.accessKeyId, ROOT_SECRET_KEY: server.secretAccessKey },
    });
    for (const deadline = Date.now() + START_TIMEOUT_MS; !(await server.#answers()); await sleep(POLL_MS)) {
      if (Date.now() > deadline) throw new Error(`versitygw does not answer at ${server.origin}`);
    }
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** For workers. `port`: of a proxy before it. */
  endpoint(prefix: string, port = this.port): S3Endpoint {
    return { prefix, endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', style: 'path' };
  }

  credential(prefix: string): Credential {
    const { accessKeyId, secretAccessKey } = this;
    return { kind: 's3', prefix, accessKeyId, secretAccessKey };
  }

  makeBucket(bucket: string): void {
    mkdirSync(join(this.#root, 'buckets', bucket), { recursive: true });
  }

  /** Whoever asks, by no name, may read and write it. */
  async openToAll(bucket: string): Promise<void> {
    const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
    const body = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource }],
    });
    const { accessKeyId, secretAccessKey } = this;
    const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'us-east-1' });
    const answer = await client.fetch(`${this.origin}/${bucket}?policy`, { method: 'PUT', body });
    if (!answer.ok) throw new Error(`the policy was refused: ${answer.status} ${await answer.text()}`);
  }

  write(bucket: string, key: string, content: string | Buffer): void {
    const path = join(this.#root, 'buckets', bucket, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** Undefined where there is no object. */
  read(bucket: string, key: string): Buffer | undefined {
    const path = join(this.#root, 'buckets', bucket, key);
    return existsSync(path) ? readFileSync(path) : undefined;
  }

  /** Keys of its objects. */
  list(bucket: string): string[] {
    const entries = readdirSync(join(this.#root, 'buckets', bucket), { recursive: true, withFileTypes: true });
    const root = join(this.#root, 'buckets', bucket);
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((key) => !key.startsWith('.sgwtmp'))
      .sort();
  }

  /** Uploads that are neither complete nor aborted. */
  uploads(bucket: string): string[] {
    const root = join(this.#root, 'buckets', bucket, UPLOADS);
    if (!existsSync(root)) return [];
    return readdirSync(root).flatMap((object) => readdirSync(join(root, object)));
  }

  async stop(): Promise<void> {
    if (this.#program?.exitCode === null) {
      const gone = once(this.#program, 'exit');
      this.#program.kill();
      await gone;
    }
    rmSync(this.#root, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  }
}
