/** The payload's standard streams: passed on up to a bound, read to their end whatever comes. */
import { type Readable } from 'node:stream';
import { ExecutionError } from '../execution-error.js';
import { type LogSink, type LogSummary, type OutputSink, type OutputStream } from '../executor-run.js';

/** Of the engine's attach stream: stream number, three zero bytes, length (Docker Engine API, "Attach to a container"). */
const HEADER_BYTES = 8;
const STDERR = 2;

export class LogCapture {
  /** Resolves when all output is read; rejects with ExecutionError engine-error when the engine breaks off. */
  readonly ended: Promise<void>;
  /** Rejects as `ended` does, and never resolves. */
  readonly broken: Promise<never>;
  readonly #seen = { stdout: 0, stderr: 0 };

  constructor(
    private readonly stream: Readable,
    private readonly limitBytes: number,
    private readonly sink: LogSink,
    /** Gets what is beyond the limit too. */
    private readonly whole?: OutputSink,
  ) {
    this.ended = this.#read(stream).catch((cause: unknown) => {
      throw new ExecutionError('engine-error', `the payload's output broke off.`, { cause });
    });
    this.broken = this.ended.then(() => new Promise<never>(() => undefined));
    this.broken.catch(() => undefined);
  }

  /** Nothing more is read, of an engine that does not end it either. */
  close(): void {
    this.stream.destroy();
  }

  summary(): { readonly stdout: LogSummary; readonly stderr: LogSummary } {
    return { stdout: this.#summaryOf('stdout'), stderr: this.#summaryOf('stderr') };
  }

  #summaryOf(stream: OutputStream): LogSummary {
    const seen = this.#seen[stream];
    const bytes = Math.min(seen, this.limitBytes);
    return { bytes, droppedBytes: seen - bytes };
  }

  /** One chunk at a time, and nothing is kept but an incomplete header: what the payload writes faster waits in its pipe. */
  async #read(stream: Readable): Promise<void> {
    let header = Buffer.alloc(0);
    let left = 0;
    let name: OutputStream = 'stdout';
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length;) {
        if (left > 0) {
          const part = chunk.subarray(at, at + left);
          this.#take(name, part);
          if (this.whole) await this.whole(name, part);
          left -= part.length;
          at += part.length;
          continue;
        }
        const missing = chunk.subarray(at, at + HEADER_BYTES - header.length);
        header = Buffer.concat([header, missing]);
        at += missing.length;
        if (header.length < HEADER_BYTES) continue;
        name = header[0] === STDERR ? 'stderr' : 'stdout';
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
    }
  }

  #take(name: OutputStream, part: Buffer): void {
    const room = this.limitBytes - this.#seen[name];
    this.#seen[name] += part.length;
    if (room > 0) this.sink(name, part.length > room ? part.subarray(0, room) : part);
  }
}
