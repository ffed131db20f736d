/** Makes the files of one directory that is an input: bounded together, each once, none outside. */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describePrefixes, JobError, shownName } from '#lib/jobs';
import { errorCode } from '../failure.js';
import { type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';
import { entryParts } from './entry-name.js';
import { READ_ONLY_DIRECTORY } from './input-file.js';
import { type InputSource } from './input-source.js';
import { type InputBudget, NAMES_MAXIMUM, TOO_MANY_NAMES } from './job-inputs.js';
import { writeInput } from './write-input.js';

export interface StagedEntry extends StoredFile {
  /** Relative to the directory. */
  readonly name: string;
}

export interface DirectoryDetails {
  readonly url: string;
  /** The container's path, for messages. */
  readonly path: string;
}

/** Of a directory that exists, is empty, and that nobody else writes to meanwhile: its names lead nowhere else. */
export class DirectoryWriter {
  readonly files: StagedEntry[] = [];
  readonly #directories = new Set<string>();
  #listed = 0;

  constructor(
    private readonly target: string,
    private readonly details: DirectoryDetails,
    private readonly budget: InputBudget,
    private readonly signal: AbortSignal,
    private readonly cache: StagingRules['cache'],
  ) {}

  /** Throws input-refused for a name that leads elsewhere or is there already, input-too-large and inputs-too-large. */
  async addFile(name: string, source: Pick<InputSource, 'chunks' | 'version' | 'cached'>): Promise<void> {
    const parts = this.#partsOf(name);
    await this.#makeDirectories(parts.slice(0, -1));
    this.#count();
    const options = { cache: this.cache, budget: this.budget, signal: this.signal };
    const stored = await writeInput(source, join(this.target, ...parts), options).catch((cause: unknown) => {
      throw ['EEXIST', 'ENOTDIR'].includes(errorCode(cause) ?? '')
        ? this.refusal(`"${shownName(name)}" is in it twice`, cause)
        : cause;
    });
    this.files.push({ name: parts.join('/'), ...stored });
  }

  async addDirectory(name: string): Promise<void> {
    await this.#makeDirectories(this.#partsOf(name));
  }

  /** Nobody writes to it any more. */
  async finish(): Promise<readonly StagedEntry[]> {
    for (const path of [...this.#directories, '']) await chmod(join(this.target, path), READ_ONLY_DIRECTORY);
    return this.files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws input-refused where it leads elsewhere. */
  requireName(name: string): void {
    this.#partsOf(name);
  }

  refusal(detail: string, cause?: unknown): JobError {
    return JobError.of('input-refused', { ...this.details, detail }, { cause });
  }

  notAllowed(prefixes: readonly string[]): JobError {
    return JobError.of('input-not-allowed', { url: this.details.url, detail: describePrefixes(prefixes) });
  }

  #partsOf(name: string): readonly string[] {
    const parts = entryParts(name);
    if (parts === null) throw this.refusal(`its entry "${shownName(name)}" has no name of a file`);
    return parts;
  }

  async #makeDirectories(parts: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      if (this.#directories.has(path)) continue;
      this.#count();
      await mkdir(join(this.target, path), 0o700).catch((cause: unknown) => {
        throw errorCode(cause) === 'EEXIST' ? this.refusal(`"${shownName(path)}" is in it twice`, cause) : cause;
      });
      this.#directories.add(path);
    }
  }

  /** Names that were listed for it, whether or not they become files. */
  listed(names: number): void {
    this.#listed += names;
    if (this.#listed > NAMES_MAXIMUM) throw this.#tooMany();
  }

  #count(): void {
    if (!this.budget.takeName()) throw this.#tooMany();
  }

  #tooMany(): JobError {
    return this.refusal(TOO_MANY_NAMES);
  }
}
