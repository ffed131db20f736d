/** Outputs to `file:` URLs: staged beside the target under a hidden name, and renamed. */
import { type FileHandle, lstat, rename } from 'node:fs/promises';
import { type OutputReference } from '#lib/jobs';
import { through } from './descriptor.js';
import { errorCode, isMissing } from '../failure.js';
import { type OpenedOutput } from '../outputs/open-output.js';
import { type OutputLimit } from '../outputs/output-limit.js';
import {
  bytesLost,
  type OutputPlace,
  type OutputTarget,
  refused,
  type Staged,
  type StagedOutput,
} from '../outputs/output-target.js';
import { giveTo, newPermissions, permissionsOf } from './permissions.js';
import {
  areStagedBytes,
  hasContent,
  openRegular,
  removeStaged,
  syncDirectory,
  writeStaged,
} from '../outputs/staged-file.js';
import { openTargetDirectory } from './target-directory.js';

export class FileTarget implements OutputTarget {
  readonly #name: string;

  constructor(
    private readonly output: OutputReference,
    private readonly hostPath: string,
    private readonly place: OutputPlace,
  ) {
    this.#name = hostPath.slice(hostPath.lastIndexOf('/') + 1);
  }

  async stage(output: OpenedOutput, temporary: string, limit: OutputLimit, signal: AbortSignal): Promise<Staged> {
    const directory = await openTargetDirectory(this.output, this.hostPath, this.place, true);
    if (directory === undefined) throw new Error('the directory was made and is not there');
    try {
      await this.#requireReplaceable(directory);
      const finish = (file: FileHandle) => this.#settle(directory, file, output.mode);
      return await writeStaged(output, directory, temporary, { limit, signal, finish });
    } finally {
      await directory.close();
    }
  }

  /**
   * The name of the staged bytes can be renamed once, whoever does it and however late: a worker that stood still puts
   * nothing over what came after it.
   */
  async publish(staged: StagedOutput, signal: AbortSignal): Promise<void> {
    const directory = await openTargetDirectory(this.output, this.hostPath, this.place, false);
    if (directory === undefined) throw bytesLost(this.output, this.place);
    try {
      const file = await openRegular(directory, staged.temporary);
      try {
        if (file === undefined) return await this.#requireInPlace(directory, staged, signal);
        if (!(await areStagedBytes(file, staged, signal))) throw bytesLost(this.output, this.place);
        // The file that is replaced may have come, or been narrowed, since the bytes were staged.
        const present = await permissionsOf(through(directory, this.#name));
        if (present !== null) await giveTo(through(file), present);
        signal.throwIfAborted();
        await this.#rename(directory, staged, signal);
      } finally {
        await file?.close();
      }
    } finally {
      await directory.close();
    }
  }

  async discard(temporary: string): Promise<void> {
    const directory = await openTargetDirectory(this.output, this.hostPath, this.place, false);
    if (directory === undefined) return;
    try {
      await removeStaged(directory, temporary);
    } finally {
      await directory.close();
    }
  }

  /** Replaces a link itself: what it points to stays as it is. */
  async #rename(directory: FileHandle, staged: StagedOutput, signal: AbortSignal): Promise<void> {
    try {
      await rename(through(directory, staged.temporary), through(directory, this.#name));
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return this.#requireInPlace(directory, staged, signal);
      throw isInTheWay(cause) ? refused(this.output, 'its place is taken', cause) : cause;
    }
    await syncDirectory(directory);
  }

  /** Whoever renamed it had the same manifest. */
  async #requireInPlace(directory: FileHandle, staged: StagedOutput, signal: AbortSignal): Promise<void> {
    const file = await openRegular(directory, this.#name);
    try {
      if (file === undefined || !(await hasContent(file, staged, signal))) throw bytesLost(this.output, this.place);
    } finally {
      await file?.close();
    }
    await syncDirectory(directory);
  }

  async #settle(directory: FileHandle, file: FileHandle, payloadMode: number): Promise<void> {
    const present = await permissionsOf(through(directory, this.#name));
    await giveTo(through(file), present ?? newPermissions(this.place.permissions, payloadMode));
  }

  /** Finds a target that a rename would refuse, before anything else is published. */
  async #requireReplaceable(directory: FileHandle): Promise<void> {
    try {
      const stats = await lstat(through(directory, this.#name));
      if (stats.isDirectory()) throw refused(this.output, 'its place is taken by a directory');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

function isInTheWay(error: unknown): boolean {
  return isMissing(error) || ['EISDIR', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(errorCode(error) ?? '');
}
