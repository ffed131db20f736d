/** Monitoring `trace`: strace attached from the host to porin-init at its gate, and with it to all that it starts. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { type Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { type TraceSummary } from '../executor-run.js';
import { StraceLines } from './strace-lines.js';
import { type TraceArtifact } from './trace-artifact.js';

export interface StraceOptions {
  /** porin-init as the host sees it, waiting at its gate. */
  readonly pid: number;
  readonly artifact: TraceArtifact;
  readonly stracePath?: string;
}

const ATTACH_TIMEOUT_MS = 30_000;
const STDERR_KEPT = 2_000;
/**
 * Threads and children too; times of day, time spent, paths of descriptors. strace opens its output by name, which the
 * socket that Node gives a child has not: a cat stands between, and keeps strace's messages out of the calls.
 */
const ARGUMENTS = ['-f', '-ttt', '-T', '-y', '-o', '|exec cat'] as const;

export class Strace {
  #detached = false;
  readonly #ended: Promise<{ readonly signal: NodeJS.Signals | null }>;
  readonly #written: Promise<void>;

  private constructor(
    private readonly child: ChildProcessByStdio<null, Readable, Readable>,
    private readonly artifact: TraceArtifact,
    pid: number,
  ) {
    this.#ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve({ signal })));
    this.#written = this.#copy(new StraceLines(pid));
    // Kept for `finish`; without this Node would end the process.
    this.#written.catch(() => undefined);
  }

  /** Resolves when the process is traced. Rejects when strace ends or 30 s pass before that. */
  static async attach({ pid, artifact, stracePath = 'strace' }: StraceOptions): Promise<Strace> {
    // Of the environment strace and its shell need no more than the path; the worker's own holds secrets.
    const child = spawn(stracePath, [...ARGUMENTS, '-p', String(pid)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH },
    });
    const strace = new Strace(child, artifact, pid);
    await attached(child, pid);
    return strace;
  }

  /**
   * Waits until strace has ended by itself, as it does when all that it traced has ended, or detaches it after
   * `timeoutMs`. Rejects with what the artifact's sink rejected with.
   */
  async finish(timeoutMs: number): Promise<TraceSummary> {
    const timer = setTimeout(() => this.#detach(), timeoutMs);
    const { signal } = await this.#ended;
    clearTimeout(timer);
    await this.#written;
    const lost = this.#detached || signal === null ? undefined : `strace was ended by ${signal}`;
    return this.artifact.end(this.#detached ? `strace was detached` : lost);
  }

  /** Nothing will be reported. */
  async drop(): Promise<void> {
    this.artifact.drop();
    this.#detach();
    await this.#ended;
  }

  /** What the payload does faster than the lines are written waits: strace stops it. What is cut is not waited for. */
  async #copy(lines: StraceLines): Promise<void> {
    try {
      await this.#write(lines);
      if (!this.artifact.full) return;
    } catch (error) {
      this.#giveUp();
      throw error;
    }
    this.#giveUp();
  }

  #giveUp(): void {
    this.#detach();
    this.child.stdout.resume();
  }

  async #write(lines: StraceLines): Promise<void> {
    let rest = '';
    this.child.stdout.setEncoding('latin1');
    for await (const chunk of this.child.stdout.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
      const whole = (rest + chunk).split('\n');
      rest = whole.pop() ?? '';
      await this.artifact.write(whole.flatMap((line) => lines.take(line)));
      if (this.artifact.full) return;
    }
  }

  #detach(): void {
    this.#detached = true;
    this.child.kill('SIGTERM');
  }
}

async function attached(child: ChildProcessByStdio<null, Readable, Readable>, pid: number): Promise<void> {
  let stderr = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`strace did not attach within ${ATTACH_TIMEOUT_MS} ms`));
    }, ATTACH_TIMEOUT_MS);
    const fail = (message: string, options?: ErrorOptions) => {
      clearTimeout(timer);
      reject(new Error(message, options));
    };
    // One message for each process later; only the first is waited for, the rest is read so that nothing blocks.
    createInterface({ input: child.stderr }).on('line', (line) => {
      stderr = `${stderr}${line}\n`.slice(-STDERR_KEPT);
      if (!line.includes(`Process ${pid} attached`)) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('error', (cause) => fail(`strace could not be executed: ${cause.message}`, { cause }));
    child.once('close', () => fail(`strace ended before it attached: ${stderr.trim()}`));
  });
}
