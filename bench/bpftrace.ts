/** bpftrace beside a run, counting every system call of every container: what people use who have no recorder. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** Probes are attached in this order. */
const PROGRAM = `
  tracepoint:raw_syscalls:sys_enter { @[cgroup, args->id] = count(); }
  interval:ms:100 { printf("attached\\n"); }`;
const ATTACH_TIMEOUT_MS = 30_000;

export class Bpftrace {
  #stdout = '';
  #stderr = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor() {
    // By lines, or nothing would come before the end.
    const child = spawn('bpftrace', ['-B', 'line', '-e', PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child = child;
    this.#ended = once(child, 'close');
    this.#ended.catch(() => undefined);
  }

  /** Resolves when it counts. @throws Error where it is not installed or may not attach */
  static async start(): Promise<Bpftrace> {
    const bpftrace = new Bpftrace();
    const attached = new Promise<void>((resolve) => {
      bpftrace.#child.stdout?.on('data', () => {
        if (bpftrace.#stdout.includes('attached\n')) resolve();
      });
    });
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`bpftrace did not attach within ${ATTACH_TIMEOUT_MS} ms`)),
        ATTACH_TIMEOUT_MS,
      );
    });
    try {
      await Promise.race([attached, bpftrace.#endedEarly(), tooLong]);
      return bpftrace;
    } catch (error) {
      bpftrace.kill();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @throws Error when it counted nothing */
  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#ended;
    if (!/^@\[\d+, \d+\]: [1-9]/m.test(this.#stdout)) throw new Error(`bpftrace counted nothing: ${this.#lastWords}`);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #endedEarly(): Promise<never> {
    await this.#ended.catch((cause: unknown) => {
      throw new Error('bpftrace is not installed, or cannot be executed', { cause });
    });
    throw new Error(`bpftrace ended before it attached: ${this.#lastWords}`);
  }

  get #lastWords(): string {
    return this.#stderr.trim().split('\n').at(-1) ?? '';
  }
}
