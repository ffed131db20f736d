/** Outputs to `file:` URLs: staged beside the target under a hidden name, and renamed. */
import { type BigIntStats } from 'node:fs';
import { type FileHandle, lstat, rename } from 'node:fs/promises';
import { type OutputReference } from '#lib/jobs';
import { isRemoved, through } from './descriptor.js';
import { errorCode, isMissing } from '../failure.js';
import { type OpenedOutput } from '../outputs/open-output.js';
import { type OutputLimit } from '../outputs/output-limit.js';
import {
  bytesLost,
  type JobFiles,
  type OutputPlace,
  type OutputTarget,
  refused,
  type Staged,
  type StagedOutput,
  type TargetOptions,
} from '../outputs/output-target.js';
import { giveTo, havePermissions, newPermissions, permissionsOf, presentFile } from './permissions.js';
import {
  areStagedBytes,
  hasContent,
  openRegular,
  openStaged,
  removeStaged,
  stagedPath,
  syncDirectory,
  writeStaged,
} from '../outputs/staged-file.js';
import { type DirectoryUse, MAXIMUM_TRIES, openTargetDirectory } from './target-directory.js';

const LEAVE: DirectoryUse = { missing: 'leave', hidden: null };

export class FileTarget implements OutputTarget {
  readonly #name: string;

  constructor(
    private readonly output: OutputReference,
    private readonly hostPath: string,
    private readonly place: OutputPlace,
  ) {
    this.#name = hostPath.slice(hostPath.lastIndexOf('/') + 1);
  }

  async stage(output: OpenedOutput, temporary: string, limit: OutputLimit, options: TargetOptions): Promise<Staged> {
    for (let tries = 1; ; tries++) {
      const directory = await this.#open({ missing: 'make', hidden: temporary });
      if (directory === undefined) throw new Error('the directory was made and is not there');
      try {
        return await this.#stageIn(directory, output, temporary, limit, options);
      } catch (error) {
        if (tries === MAXIMUM_TRIES || !(await isRemoved(directory))) throw error;
      } finally {
        await directory.close();
      }
    }
  }

  /**
   * The name of the staged bytes can be renamed once, whoever does it and however late: a worker that stood still puts
   * nothing over what came after it.
   */
  async publish(staged: StagedOutput, options: TargetOptions): Promise<void> {
    const { signal, files } = options;
    const directory = await this.#open(LEAVE);
    if (directory === undefined) throw bytesLost(this.output, this.place);
    try {
      const file = await openStaged(directory, staged.temporary);
      try {
        if (file === undefined) return await this.#requireInPlace(directory, staged, options);
        if (!(await areStagedBytes(file, staged, signal))) throw bytesLost(this.output, this.place);
        await this.#prepare(directory, file, staged, options);
        signal.throwIfAborted();
        await this.#rename(directory, staged, options);
        files.published.add(await identityOf(file));
      } finally {
        await file?.close();
      }
    } finally {
      await directory.close();
    }
  }

  async find(files: JobFiles): Promise<void> {
    const directory = await this.#open(LEAVE);
    try {
      const file = directory && (await presentFile(through(directory, this.#name)));
      if (file) files.published.add(keyOf(file));
    } finally {
      await directory?.close();
    }
  }

  async discard(temporary: string): Promise<void> {
    const directory = await this.#open({ missing: 'leave', hidden: temporary });
    if (directory === undefined) return;
    try {
      await removeStaged(directory, temporary);
    } finally {
      await directory.close();
    }
  }

  #open(use: DirectoryUse): Promise<FileHandle | undefined> {
    return openTargetDirectory(this.output, this.hostPath, this.place, use);
  }

  async #stageIn(
    directory: FileHandle,
    output: OpenedOutput,
    temporary: string,
    limit: OutputLimit,
    { signal, files }: TargetOptions,
  ): Promise<Staged> {
    await this.#requireReplaceable(directory);
    const target = `${await identityOf(directory)}/${this.#name}`;
    if (files.targets.has(target)) throw refused(this.output, 'another output of the job goes to the same file');
    const finish = (file: FileHandle) => this.#settle(directory, file, output.mode);
    const staged = await writeStaged(output, directory, temporary, { limit, signal, finish });
    files.targets.add(target);
    return staged;
  }

  /** The file that is replaced may have come, or been narrowed, since the bytes were staged. */
  async #prepare(
    directory: FileHandle,
    file: FileHandle,
    { temporary }: StagedOutput,
    { signal, files }: TargetOptions,
  ): Promise<void> {
    const present = await presentFile(through(directory, this.#name));
    if (present === null) return;
    if (files.published.has(keyOf(present))) {
      throw refused(this.output, 'another output of the job is in the same file');
    }
    const staged = await file.stat({ bigint: true });
    const permissions = permissionsOf(present);
    if (havePermissions(staged, permissions)) return;
    signal.throwIfAborted();
    // What another attempt has renamed meanwhile is in place, and its owner may have narrowed it.
    const named = await presentFile(stagedPath(directory, temporary));
    if (named !== null && keyOf(named) === keyOf(staged)) await giveTo(through(file), permissions);
  }

  /** Replaces a link itself: what it points to stays as it is. */
  async #rename(directory: FileHandle, staged: StagedOutput, options: TargetOptions): Promise<void> {
    try {
      await rename(stagedPath(directory, staged.temporary), through(directory, this.#name));
    } catch (cause) {
      if (errorCode(cause) === 'ENOENT') return this.#requireInPlace(directory, staged, options);
      throw isInTheWay(cause) ? refused(this.output, 'its place is taken', cause) : cause;
    }
    await syncDirectory(directory);
  }

  /** Whoever renamed it had the same manifest. */
  async #requireInPlace(directory: FileHandle, staged: StagedOutput, { signal, files }: TargetOptions): Promise<void> {
    const file = await openRegular(through(directory, this.#name));
    try {
      if (file === undefined || !(await hasContent(file, staged, signal))) throw bytesLost(this.output, this.place);
      files.published.add(await identityOf(file));
    } finally {
      await file?.close();
    }
    await syncDirectory(directory);
  }

  async #settle(directory: FileHandle, file: FileHandle, payloadMode: number): Promise<void> {
    const present = await presentFile(through(directory, this.#name));
    const permissions = present ? permissionsOf(present) : newPermissions(this.place.permissions, payloadMode);
    await giveTo(through(file), permissions);
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

/** The same for all names of a file or directory. */
function keyOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

async function identityOf(file: FileHandle): Promise<string> {
  return keyOf(await file.stat({ bigint: true }));
}

function isInTheWay(error: unknown): boolean {
  return isMissing(error) || ['EISDIR', 'ENOTEMPTY', 'EEXIST', 'EBUSY'].includes(errorCode(error) ?? '');
}
