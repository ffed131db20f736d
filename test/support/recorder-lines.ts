/** porin-recorder spoken to line by line, where a test is about its lines, its file descriptors or its end. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Readable, type Writable } from 'node:stream';

const DETAIL = /^(use|file|socket|refused) /;

export class RecorderLines {
  #stderr = '';
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<unknown[]>;

  private constructor(private readonly child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#exit = once(child, 'close');
    // A write after its end; how it ended says the rest.
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
  }

  /** The first line is answered to nothing: `ready` or an error. */
  static async start(
    binaryPath: string,
    args: readonly string[] = [],
  ): Promise<{ readonly recorder: RecorderLines; readonly first: string }> {
    const recorder = new RecorderLines(spawn(binaryPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {} }));
    return { recorder, first: await recorder.next() };
  }

  /** The answer to a command, with the lines that came before it. */
  async command(line: string | Buffer): Promise<{ readonly answer: string; readonly details: readonly string[] }> {
    this.child.stdin.write(line);
    this.child.stdin.write('\n');
    const details: string[] = [];
    for (;;) {
      const next = await this.next();
      if (!DETAIL.test(next)) return { answer: next, details };
      details.push(next);
    }
  }

  /** The tracepoints that its programs are attached to, one for each program, sorted (proc(5), fdinfo of BPF links). */
  async attached(): Promise<readonly string[]> {
    const directory = `/proc/${this.child.pid}/fdinfo`;
    const texts = await Promise.all(
      (await readdir(directory)).map((name) => readFile(`${directory}/${name}`, 'utf8').catch(() => '')),
    );
    return texts.flatMap((text) => /^tp_name:\s*(\S+)$/m.exec(text)?.[1] ?? []).sort();
  }

  /** Ends its input, with `rest` before the end. */
  async close(rest = ''): Promise<{ readonly status: unknown; readonly stderr: string }> {
    this.child.stdin.end(rest);
    const [status] = await this.#exit;
    return { status, stderr: this.#stderr };
  }

  private async next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`porin-recorder ended: ${this.#stderr}`);
    return value;
  }
}
