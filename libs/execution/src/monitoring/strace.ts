/** Benches only: `strace -f` attached to porin-init from the host, to compare the recorder with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface StraceOptions {
  /** porin-init as the host sees it, waiting at its gate. */
  readonly pid: number;
  /** Where the trace is written; must exist. */
  readonly directory: string;
  readonly stracePath?: string;
}

const ATTACH_TIMEOUT_MS = 30_000;

export class Strace {
  private constructor(
    readonly outputPath: string,
    private readonly child: ChildProcess,
    private readonly ended: Promise<void>,
  ) {}

  /** Resolves when the process is traced. Rejects when strace ends or 30 s pass before that. */
  static async attach(options: StraceOptions): Promise<Strace> {
    const outputPath = join(options.directory, 'strace.txt');
    const child = spawn(options.stracePath ?? 'strace', ['-f', '-o', outputPath, '-p', String(options.pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
    });
    let stderr = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`strace did not attach within ${ATTACH_TIMEOUT_MS} ms`));
      }, ATTACH_TIMEOUT_MS);
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(-2000);
        if (!stderr.includes(`Process ${options.pid} attached`)) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('error', (cause) => {
        clearTimeout(timer);
        reject(new Error(`strace could not be executed: ${cause.message}`, { cause }));
      });
      child.once('close', () => {
        clearTimeout(timer);
        reject(new Error(`strace ended before it attached: ${stderr.trim()}`));
      });
    });
    return new Strace(outputPath, child, ended);
  }

  /**
   * Waits until strace has ended by itself, as it does when all that it traced has ended, or detaches it after
   * `timeoutMs`. Resolves to the number of lines in the trace.
   */
  async finish(timeoutMs: number): Promise<number> {
    const timer = setTimeout(() => this.child.kill('SIGTERM'), timeoutMs);
    await this.ended;
    clearTimeout(timer);
    let lines = 0;
    for await (const _line of createInterface({ input: createReadStream(this.outputPath) })) lines += 1;
    return lines;
  }
}
