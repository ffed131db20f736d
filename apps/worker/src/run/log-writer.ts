/** Writes a payload's output to the database while it runs, in order, a chunk at a time. */
import { createHash } from 'node:crypto';
import { type LogSink } from '#lib/execution';
import { appendAgain, RETRIES } from './append-again.js';

export type LogStream = Parameters<LogSink>[0];
export type AppendChunk = (stream: LogStream, offset: number, content: Buffer) => Promise<void>;

const CHUNK_BYTES = 64 * 1024;
const FLUSH_MS = 500;

export class LogWriter {
  readonly #streams = { stdout: new StreamBuffer(), stderr: new StreamBuffer() };
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  /**
   * `append` is called again with the same chunk when it rejects. What it rejects with at last is thrown by `end`; nothing is
   * written after it.
   */
  constructor(
    private readonly append: AppendChunk,
    private readonly retries = RETRIES,
  ) {
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
  }

  readonly write: LogSink = (stream, chunk) => {
    this.#streams[stream].push(chunk);
    if (this.#streams[stream].pendingBytes >= CHUNK_BYTES) this.#flush();
  };

  /** Resolves when all is written. */
  async end(): Promise<Readonly<Record<LogStream, { readonly bytes: number; readonly sha256: string }>>> {
    clearInterval(this.#timer);
    this.#flush();
    await this.#writing;
    return { stdout: this.#streams.stdout.summary(), stderr: this.#streams.stderr.summary() };
  }

  #flush(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const taken = this.#streams[stream].take();
      if (taken) this.#writing = this.#writing.then(() => this.#append(stream, taken));
    }
    // Kept for `end`; without this Node would end the process.
    this.#writing.catch(() => undefined);
  }

  #append(stream: LogStream, { offset, content }: { offset: number; content: Buffer }): Promise<void> {
    return appendAgain(() => this.append(stream, offset, content), this.retries);
  }
}

class StreamBuffer {
  readonly #hash = createHash('sha256');
  #pending: Buffer[] = [];
  #taken = 0;
  pendingBytes = 0;

  push(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#pending.push(chunk);
    this.pendingBytes += chunk.length;
  }

  take(): { offset: number; content: Buffer } | undefined {
    if (this.pendingBytes === 0) return undefined;
    const content = Buffer.concat(this.#pending);
    const offset = this.#taken;
    this.#taken += content.length;
    this.#pending = [];
    this.pendingBytes = 0;
    return { offset, content };
  }

  summary(): { bytes: number; sha256: string } {
    return { bytes: this.#taken, sha256: this.#hash.digest('hex') };
  }
}
