/** A program that observes until it is told to end, and says when it has begun. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { type Readable } from 'node:stream';

const TIMEOUT_MS = 30_000;

export class Tool {
  /** Of both streams. */
  output = '';
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<void>;
  #problem: string | undefined;

  constructor(
    private readonly name: string,
    args: readonly string[],
  ) {
    this.#child = spawn(name, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.#child.once('error', (error) => (this.#problem = `${name} cannot be executed: ${error.message}`));
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  /** @throws Error when it ends before, or 30 s pass */
  async says(text: string): Promise<void> {
    const said = new Promise<void>((resolve) => {
      for (const stream of [this.#child.stdout, this.#child.stderr]) {
        stream.on('data', () => this.output.includes(text) && resolve());
      }
    });
    const ended = this.#closed.then(() => {
      throw new Error(this.#problem ?? `${this.name} ended before it was attached: ${this.output.trim()}`);
    });
    await this.#inTime(Promise.race([said, ended]), 'attach');
  }

  async ended(): Promise<void> {
    await this.#inTime(this.#closed, 'end');
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async #inTime(promise: Promise<void>, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.name} did not ${what} within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
    });
    await Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
  }
}
