/** Writes what a payload prints into the files that its executor names. Their bytes are the job's disk's. */
import { type FileHandle } from 'node:fs/promises';
import { type OutputSink, type OutputStream } from '#lib/execution';
import { JobError } from '#lib/jobs';
import { createFile, errorCode, type FileOwner, type OutputSource } from '#lib/staging';
import { type ClaimedExecutor } from '../attempt/claim.js';

type Named = Pick<ClaimedExecutor, OutputStream>;

export interface RedirectionOptions {
  /** Where on this node a path of the container is. */
  readonly sourceOf: (file: { readonly path: string }) => OutputSource;
  readonly owner: FileOwner;
  readonly diskBytes: number;
}

export class RedirectedOutput {
  #failure: unknown;

  private constructor(
    /** One for both, where they have one path. */
    private readonly files: Readonly<Partial<Record<OutputStream, FileHandle>>>,
    private readonly diskBytes: number,
  ) {}

  /** Undefined where the executor names no file. They are there, empty, when it resolves. Throws JobError standard-output. */
  static async open(named: Named, options: RedirectionOptions): Promise<RedirectedOutput | undefined> {
    const { stdout, stderr } = named;
    if (stdout === null && stderr === null) return undefined;
    const open = (path: string) => createFile(options.sourceOf({ path }), path, options.owner);
    const output = stdout === null ? undefined : await open(stdout);
    try {
      const error = stderr === null ? undefined : stderr === stdout ? output : await open(stderr);
      return new RedirectedOutput(
        { ...(output && { stdout: output }), ...(error && { stderr: error }) },
        options.diskBytes,
      );
    } catch (error) {
      await output?.close();
      throw error;
    }
  }

  /** Where nothing more can be written, the payload is still read to its end: whoever watches the disk stops it. */
  readonly write: OutputSink = async (stream, chunk) => {
    const file = this.files[stream];
    if (file === undefined || this.#failure !== undefined) return;
    try {
      // Not `appendFile`, which takes whole files: a write may be partial.
      for (let at = 0; at < chunk.length;) at += (await file.write(chunk, at)).bytesWritten;
    } catch (error) {
      this.#fail(error);
    }
  };

  /** Once, when the payload has ended. The error where something was lost, whatever the payload ended by. */
  async end(): Promise<JobError | undefined> {
    for (const file of new Set(Object.values(this.files)))
      await file.close().catch((error: unknown) => this.#fail(error));
    const cause = this.#failure;
    if (cause === undefined) return undefined;
    const code = errorCode(cause) ?? 'an unexpected error';
    if (code === 'ENOSPC') return JobError.of('disk-limit', { limitBytes: this.diskBytes }, { cause });
    return JobError.of(
      'internal-error',
      { detail: `the output of the payload could not be written (${code}).` },
      { cause },
    );
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }
}
