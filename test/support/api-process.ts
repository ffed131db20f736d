/** The API as a process of its own, as a supervisor runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DIST_DIR } from '../../scripts/setup/paths.js';
import { required } from './environment.js';
import { eventually } from './eventually.js';

export class ApiProcess {
  log = '';
  /** Resolves with the exit code; null where a signal ended it. */
  readonly ended: Promise<number | null>;

  private constructor(
    readonly child: ChildProcess,
    private readonly directory: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.log = (this.log + text).slice(-100_000)));
    }
    this.ended = once(child, 'exit').then(([code]) => code as number | null);
  }

  /** Returns at once; the settings win. */
  static start(databaseUrl: string, settings: Record<string, string> = {}): ApiProcess {
    const directory = mkdtempSync(join(tmpdir(), 'porin-api-'));
    const keyFile = join(directory, 'signing-key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const child = spawn(process.execPath, ['--enable-source-maps', join(DIST_DIR, 'apps/api/src/main.js')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        PORIN_DATABASE_URL: databaseUrl,
        PORIN_REDIS_URL: required('PORIN_TEST_REDIS_URL'),
        PORIN_SIGNING_KEY_FILE: keyFile,
        PORIN_PORT: '0',
        ...settings,
      },
    });
    return new ApiProcess(child, directory);
  }

  /** Its address, once it listens. Rejects with the log when the process ends before. */
  async url(): Promise<string> {
    let url: string | undefined;
    await eventually(() => {
      url = /"url":"([^"]+)"/.exec(this.log)?.[1];
      if (url === undefined && this.child.exitCode === null) throw new Error(`it does not listen:\n${this.log}`);
      return Promise.resolve();
    });
    if (url === undefined) throw new Error(`the API ended:\n${this.log}`);
    return url;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
