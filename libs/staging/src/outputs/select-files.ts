/** The files of an output that names a directory or a pattern: found after the payload's end, without following a link. */
import { type FileHandle, lstat, opendir } from 'node:fs/promises';
import {
  childUrl,
  isSelection,
  JobError,
  matchesName,
  type NamePattern,
  type OutputReference,
  parseDataUrl,
  pathPattern,
  SPECIFICATION_BOUNDS,
} from '#lib/jobs';
import { pin, pinEntry, through, typeOf } from '../file/descriptor.js';
import { isMissing } from '../failure.js';
import { type OutputSource } from './open-output.js';

export interface SelectedFile {
  readonly url: string;
  /** In the container. */
  readonly path: string;
  readonly source: OutputSource;
}

export interface SelectedFiles {
  readonly files: readonly SelectedFile[];
  /** JobError output-*: what is there and cannot be published, or what is missing. */
  readonly problems: readonly JobError[];
}

/** What the outputs of one job may have together; used up as they are looked at. */
export class SelectionBudget {
  /** Of directories that are read, whatever becomes of them. */
  entries = 100_000;
  files = 10_000;
  /** Of paths and URLs. */
  nameBytes = 8 * 1024 ** 2;
}

export interface SelectOptions {
  /** Paths in the container of inputs, which are no outputs: what lies there is the engine's. */
  readonly inputs: ReadonlySet<string>;
  readonly budget: SelectionBudget;
}

/** Directories in directories. A URL has 100 parts at most. */
const DEPTH_MAXIMUM = 64;
/** Told of one output. */
const PROBLEMS_MAXIMUM = 100;

/**
 * `source`: of the output itself, or of the directory in which its pattern begins; "" for the directory that is mounted. Problems do not
 * end the search, but for those of the budget. Throws errors of the file system.
 */
export async function selectFiles(
  output: OutputReference,
  source: OutputSource,
  options: SelectOptions,
): Promise<SelectedFiles> {
  if (!isSelection(output)) return { files: [{ url: output.url, path: output.path, source }], problems: [] };
  const search = new Search(output, source, options);
  await search.run();
  return search;
}

/** A directory that is read. */
interface Directory {
  readonly handle: FileHandle;
  /** In the container. */
  readonly path: string;
  /** Below the mounted directory; "" for itself. */
  readonly name: string;
  readonly depth: number;
  /** Of what is looked for in it; all that is below, where there are none. */
  readonly patterns: readonly NamePattern[];
}

/** Ends the search: its problem is among the others. */
class BudgetEnd extends Error {}

class Search implements SelectedFiles {
  readonly files: SelectedFile[] = [];
  readonly problems: JobError[] = [];
  /** What URLs have in the place of it. */
  readonly #prefix: string;

  constructor(
    private readonly output: OutputReference,
    private readonly source: OutputSource,
    private readonly options: SelectOptions,
  ) {
    this.#prefix = output.pathPrefix ?? output.path;
  }

  async run(): Promise<void> {
    const { pathPrefix, path } = this.output;
    const pattern = pathPrefix === undefined ? { directory: path, names: [] } : pathPattern(path);
    const handle = await this.#open();
    if (handle === undefined) return;
    try {
      const { directory, names } = pattern;
      await this.#read({ handle, path: directory, name: this.source.name, depth: 0, patterns: names });
    } catch (error) {
      if (!(error instanceof BudgetEnd)) throw error;
    } finally {
      await handle.close();
    }
  }

  /** Undefined where there is no directory, of which a pattern finds nothing. */
  async #open(): Promise<FileHandle | undefined> {
    const isPattern = this.output.pathPrefix !== undefined;
    let place = await pin(this.source.directory);
    for (const part of this.source.name.split('/').filter((text) => text !== '')) {
      const next = await pinEntry(place, part).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        return undefined;
      });
      await place.close();
      if (next === undefined) {
        if (!isPattern) this.#add(JobError.of('output-missing', { path: this.output.path }));
        return undefined;
      }
      place = next;
      const stats = await place.stat();
      if (stats.isDirectory()) continue;
      await place.close();
      if (stats.isSymbolicLink()) this.#add(JobError.of('output-is-link', { path: this.output.path }));
      else if (!isPattern) this.#refuse(this.output.path, `it is a ${typeOf(stats)}, and no directory`);
      return undefined;
    }
    return place;
  }

  async #read(directory: Directory): Promise<void> {
    if (directory.depth > DEPTH_MAXIMUM) {
      return this.#refuse(directory.path, `there are more than ${DEPTH_MAXIMUM} directories in one another`);
    }
    for (const name of await this.#namesIn(directory)) await this.#take(directory, name);
  }

  /** In the order of their bytes. */
  async #namesIn({ handle, path }: Directory): Promise<readonly Buffer[]> {
    const { budget } = this.options;
    const names: Buffer[] = [];
    for await (const entry of await opendir(through(handle), { encoding: 'buffer' as BufferEncoding })) {
      if (--budget.entries < 0) this.#end(path, 'the outputs’ directories hold more than 100,000 names');
      names.push(entry.name as unknown as Buffer);
    }
    return names.sort((a, b) => a.compare(b));
  }

  async #take(directory: Directory, bytes: Buffer): Promise<void> {
    const { patterns } = directory;
    const [pattern, ...others] = patterns;
    const text = bytes.toString('utf8');
    if (pattern && !matchesName(text, pattern)) return;
    const path = `${directory.path === '/' ? '' : directory.path}/${text}`;
    if (!Buffer.from(text, 'utf8').equals(bytes)) return this.#refuse(path, 'its name is not UTF-8');
    if (this.options.inputs.has(path)) return;
    const stats = await lstat(through(directory.handle, text));
    const name = directory.name === '' ? text : `${directory.name}/${text}`;
    const wantsAll = this.output.type === 'DIRECTORY' && others.length === 0;
    if (stats.isDirectory()) {
      if (others.length > 0 || wantsAll) await this.#enter(directory, text, { path, name, patterns: others });
      return;
    }
    // What a pattern names with directories behind it, or as a directory, is none.
    if (others.length > 0 || (pattern && wantsAll)) return;
    if (stats.isSymbolicLink()) this.#add(JobError.of('output-is-link', { path: path }));
    else if (stats.isFile()) this.#select(path, name);
    else this.#add(JobError.of('output-not-regular', { path: path, type: typeOf(stats) }));
  }

  async #enter(
    directory: Directory,
    entry: string,
    next: Pick<Directory, 'path' | 'name' | 'patterns'>,
  ): Promise<void> {
    const handle = await pinEntry(directory.handle, entry);
    try {
      if (!(await handle.stat()).isDirectory()) throw new Error('a directory was replaced after the payload’s end');
      await this.#read({ ...next, handle, depth: directory.depth + 1 });
    } finally {
      await handle.close();
    }
  }

  #select(path: string, name: string): void {
    const { budget } = this.options;
    const url = childUrl(this.output.url, path.slice(this.#prefix === '/' ? 1 : this.#prefix.length + 1));
    const { problem } = parseDataUrl(url);
    if (problem !== null) return this.#refuse(path, `its URL ${problem}`);
    const { outputPathBytes } = SPECIFICATION_BOUNDS;
    if (Buffer.byteLength(path) > outputPathBytes) {
      return this.#refuse(path, `its path is longer than ${outputPathBytes} bytes`);
    }
    if (--budget.files < 0) this.#end(path, 'the outputs are more than 10,000 files');
    budget.nameBytes -= Buffer.byteLength(path) + url.length;
    if (budget.nameBytes < 0) this.#end(path, 'the paths and URLs of the outputs are longer than 8 MiB');
    this.files.push({ url, path, source: { directory: this.source.directory, name } });
  }

  #refuse(path: string, detail: string): void {
    this.#add(JobError.of('output-unpublishable', { path: path, detail }));
  }

  /** A payload may leave as many as it likes, and the first are enough to know. */
  #add(problem: JobError): void {
    if (this.problems.length < PROBLEMS_MAXIMUM) this.problems.push(problem);
  }

  #end(path: string, detail: string): never {
    this.#refuse(path, detail);
    throw new BudgetEnd();
  }
}
