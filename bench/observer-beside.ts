/** What observes a run beside Porin, attached at the gate by the bench: other people's tools, to compare with. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Readable } from 'node:stream';
import { cgroupPath } from './cgroup-path.js';
import { type BenchLevel } from './levels.js';

export interface ObserverBeside {
  /** Resolves when it observes porin-init, and so all that this one starts. @throws Error where it cannot */
  attach(pid: number): Promise<void>;
  /** After the container's end. @throws Error when it observed nothing */
  end(): Promise<void>;
  /** At any time. */
  kill(): void;
}

const TIMEOUT_MS = 30_000;
/** Of every cgroup, as it is used to see what containers do; probes are attached in this order. */
const BPFTRACE_PROGRAM = `
  tracepoint:raw_syscalls:sys_enter { @[cgroup, args->id] = count(); }
  interval:ms:100 { printf("attached\\n"); }`;

/** `directory` is in memory. */
export function observerBeside(tool: BenchLevel['beside'], directory: string): ObserverBeside | undefined {
  if (tool === 'strace') return new StraceBeside(join(directory, 'strace.txt'));
  return tool === 'bpftrace' ? new BpftraceBeside() : undefined;
}

class StraceBeside implements ObserverBeside {
  #tool: Tool | undefined;

  constructor(private readonly outputPath: string) {}

  async attach(pid: number): Promise<void> {
    this.#tool = new Tool('strace', ['-f', '-o', this.outputPath, '-p', String(pid)]);
    await this.#tool.says(`Process ${pid} attached`);
  }

  async end(): Promise<void> {
    // It ends with the last process that it traces.
    await this.#tool?.ended();
    if (statSync(this.outputPath).size === 0) throw new Error('strace traced nothing');
  }

  kill(): void {
    this.#tool?.kill('SIGKILL');
    rmSync(this.outputPath, { force: true });
  }
}

class BpftraceBeside implements ObserverBeside {
  #tool: Tool | undefined;
  #cgroupId = 0;

  async attach(pid: number): Promise<void> {
    const path = cgroupPath(readFileSync('/proc/self/mountinfo', 'utf8'), readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    this.#cgroupId = statSync(path).ino;
    // By lines, or nothing would come before the end.
    this.#tool = new Tool('bpftrace', ['-B', 'line', '-e', BPFTRACE_PROGRAM]);
    await this.#tool.says('attached\n');
  }

  async end(): Promise<void> {
    this.#tool?.kill('SIGINT');
    await this.#tool?.ended();
    if (!this.#tool?.output.includes(`@[${this.#cgroupId}, `)) throw new Error('bpftrace counted nothing');
  }

  kill(): void {
    this.#tool?.kill('SIGKILL');
  }
}

class Tool {
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
