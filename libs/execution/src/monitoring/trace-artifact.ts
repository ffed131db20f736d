/**
 * The file that a trace becomes: lines in, gzip out, cut at its maximum.
 *
 * Every part handed on is a gzip member of its own, and members in a row are one file (RFC 1952, section 2.2): so what has
 * been written can be read while the payload runs, and no part is begun that would not fit.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type TraceSummary } from '../executor-run.js';

const compress = promisify(gzip);

export type TraceSink = (part: Buffer) => Promise<void>;

/** Text of one part, unless it is a trace of few lines. */
const PART_BYTES = 256 * 1024;
/** How long a line may wait for others. */
const FLUSH_MS = 1_000;
/** Room for the line that says that it was cut. */
const LAST_PART_BYTES = 256;

export class TraceArtifact {
  readonly #hash = createHash('sha256');
  readonly #timer: NodeJS.Timeout;
  #pending: string[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #bytes = 0;
  #lines = 0;
  #full = false;

  /** `sink` gets the parts one after another, each when the one before is written. */
  constructor(
    private readonly maximumBytes: number,
    private readonly sink: TraceSink,
  ) {
    this.#timer = setInterval(() => void this.#flush().catch(() => undefined), FLUSH_MS);
  }

  /** Nothing more is taken: what comes now is not in the file. */
  get full(): boolean {
    return this.#full;
  }

  /** Resolves when there is room for more. Rejects with what the sink rejected with. */
  async write(lines: readonly string[]): Promise<void> {
    if (this.#full) return;
    for (const line of lines) {
      this.#pending.push(line);
      this.#pendingBytes += line.length + 1;
    }
    if (this.#pendingBytes >= Math.min(PART_BYTES, this.maximumBytes / 4)) await this.#flush();
  }

  /** `incomplete`: why there is more than the file has, if there is. Rejects with what the sink rejected with. */
  async end(incomplete?: string): Promise<TraceSummary> {
    clearInterval(this.#timer);
    await this.#flush();
    const reason = this.#full ? `the trace was cut at ${this.maximumBytes} bytes` : incomplete;
    if (reason !== undefined) await this.#put(await compress(`+++ ${reason}; the payload went on +++\n`));
    return {
      bytes: this.#bytes,
      sha256: this.#hash.digest('hex'),
      lines: this.#lines,
      truncated: reason !== undefined,
    };
  }

  /** May be called instead of `end`, and after it. */
  drop(): void {
    clearInterval(this.#timer);
    this.#full = true;
  }

  #flush(): Promise<void> {
    const lines = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (lines.length > 0) this.#writing = this.#writing.then(() => this.#writePart(lines));
    return this.#writing;
  }

  async #writePart(lines: readonly string[]): Promise<void> {
    if (this.#full) return;
    const part = await compress(`${lines.join('\n')}\n`);
    if (this.#bytes + part.length + LAST_PART_BYTES > this.maximumBytes) {
      this.#full = true;
      return;
    }
    await this.#put(part);
    this.#lines += lines.length;
  }

  async #put(part: Buffer): Promise<void> {
    await this.sink(part);
    this.#hash.update(part);
    this.#bytes += part.length;
  }
}
