/** Inputs that were fetched for jobs of this node, kept for later jobs of the same tenant: bounded, and giving way to everything else. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type StoredFile } from '../stored-file.js';
import { chargeOf, type Entry, type Origin, TenantStore } from './tenant-store.js';

export interface InputCacheOptions {
  /** Of the cache alone; on the file system of the jobs' inputs, so that one file can be both. */
  readonly directory: string;
  /** Bytes of all that it keeps; 0: it keeps nothing. */
  readonly maximumBytes: number;
  /** Bytes that are to be free for others on the file system. */
  readonly reservedBytes: () => Promise<number>;
  /** It is only a cache: what goes wrong with it is told here, and fails no job. */
  readonly onProblem: (error: unknown) => void;
}

/** Between two looks at what is free. */
const LOOK_MS = 30_000;
/** Made free at least where the file system is full. */
const STEP_BYTES = 64 * 1024 ** 2;
/** A file of more than this part of the whole would put out too much else. */
const LARGEST_PART = 0.5;
/** Of a tenant: the digest of its name. */
const DIRECTORY = /^[0-9a-f]{64}$/;

interface Kept {
  readonly store: TenantStore;
  readonly entry: Entry;
}

export class InputCache {
  /** By the names of their directories. Undefined where one cannot be opened. */
  readonly #stores = new Map<string, Promise<TenantStore | undefined>>();
  readonly #opened = new Set<TenantStore>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly options: InputCacheOptions) {}

  /** With what an earlier process kept. */
  static async open(options: InputCacheOptions): Promise<InputCache> {
    const cache = new InputCache(options);
    const { directory, maximumBytes } = options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(directory)) {
      if (maximumBytes > 0 && DIRECTORY.test(name)) await cache.#store(name);
      else await rm(join(directory, name), { recursive: true, force: true });
    }
    await cache.trim();
    return cache;
  }

  /** The tenant does not choose the name of its directory. Never rejects. */
  store(tenant: string): Promise<TenantStore | undefined> {
    return this.#store(createHash('sha256').update(tenant).digest('hex'));
  }

  /** Bytes on the file system that the cache would give up for others. */
  get bytes(): number {
    return [...this.#opened].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  start(): void {
    this.#timer = setInterval(() => void this.trim(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A failure is told, and nothing is kept then. */
  async keep(store: TenantStore, file: string, stored: StoredFile, origin: Origin): Promise<void> {
    if (chargeOf(stored.bytes) > this.options.maximumBytes * LARGEST_PART) return;
    await store.keep(file, stored, origin).catch(this.options.onProblem);
    await this.trim();
  }

  /** Never rejects. */
  drop(store: TenantStore, entry: Entry): Promise<void> {
    return store.drop(entry).catch(this.options.onProblem);
  }

  /** Never rejects. */
  used(store: TenantStore, entry: Entry): Promise<void> {
    return store.used(entry).catch(this.options.onProblem);
  }

  /** To its bound, and until what is reserved is free. Never rejects. */
  async trim(): Promise<void> {
    const { maximumBytes, reservedBytes, onProblem } = this.options;
    try {
      for (let next; this.bytes > maximumBytes && (next = this.#next());) await next.store.drop(next.entry);
      const reserved = await reservedBytes();
      await this.#free(async () => (await this.#freeBytes()) >= reserved);
    } catch (error) {
      onProblem(error);
    }
  }

  /** For a write that found the file system full: false where there was nothing to give up for it. Never rejects. */
  async makeRoom(): Promise<boolean> {
    try {
      const before = await this.#freeBytes();
      await this.#free(async () => (await this.#freeBytes()) >= before + STEP_BYTES);
      return (await this.#freeBytes()) > before;
    } catch (error) {
      this.options.onProblem(error);
      return false;
    }
  }

  async #free(isEnough: () => Promise<boolean>): Promise<void> {
    const lent = new Set<Entry>();
    for (let next; !(await isEnough()) && (next = this.#next(lent));) {
      // It would free nothing as long as its job has it.
      if (await isLent(next)) lent.add(next.entry);
      else await next.store.drop(next.entry);
    }
  }

  /** Of the tenant that has most, the file that was used longest ago: nobody puts out what others have within an equal part. */
  #next(except: ReadonlySet<Entry> = new Set()): Kept | undefined {
    const stores = [...this.#opened].sort((a, b) => b.bytes - a.bytes);
    for (const store of stores) {
      for (const entry of store.entries) if (!except.has(entry)) return { store, entry };
    }
    return undefined;
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.options.directory);
    return bavail * bsize;
  }

  #store(name: string): Promise<TenantStore | undefined> {
    const known = this.#stores.get(name);
    if (known) return known;
    const opening = this.#open(name);
    this.#stores.set(name, opening);
    return opening;
  }

  async #open(name: string): Promise<TenantStore | undefined> {
    try {
      const store = await TenantStore.open(join(this.options.directory, name));
      this.#opened.add(store);
      return store;
    } catch (error) {
      this.#stores.delete(name);
      this.options.onProblem(error);
      return undefined;
    }
  }
}

async function isLent({ store, entry }: Kept): Promise<boolean> {
  const found = await stat(store.pathOf(entry)).catch(() => undefined);
  return found !== undefined && found.nlink > 1;
}
