/** What the cache has for one input of a job, and when the job may have it (docs/adr/0022-inputs-are-kept-on-nodes.md). */
import { createHash } from 'node:crypto';
import { type InputSource } from '../inputs/input-source.js';
import { type StoredFile } from '../stored-file.js';
import { CachedFile } from './cached-file.js';
import { type InputCache } from './input-cache.js';
import { type Entry, type TenantStore } from './tenant-store.js';
import { KnownVersion, type Version } from './version.js';

/** What an input was made of without fetching it. */
export interface Taken {
  readonly files: number;
  readonly bytes: number;
}

export interface KnownFile {
  readonly version: KnownVersion;
  /** Throws DamagedFile. */
  readonly open: (signal: AbortSignal) => Promise<InputSource>;
}

const NOTHING: Taken = { files: 0, bytes: 0 };

export class CachedInputs {
  #taken = NOTHING;

  private constructor(
    private readonly cache: InputCache,
    private readonly store: Promise<TenantStore | undefined>,
  ) {}

  /** For one input of a job of the tenant. */
  static of(cache: InputCache, tenant: string): CachedInputs {
    return new CachedInputs(cache, cache.store(tenant));
  }

  get taken(): Taken {
    return this.#taken;
  }

  /** The input is made anew. */
  startAgain(): void {
    this.#taken = NOTHING;
  }

  /**
   * The bytes with this digest, where nothing had to be shown for them when they were fetched: the job names what it wants, and a
   * digest alone is no credential. Throws DamagedFile.
   */
  async open(sha256: string, signal: AbortSignal): Promise<InputSource | undefined> {
    const store = await this.store;
    const entry = store?.find(sha256);
    return store && entry?.isOpen ? this.#source(store, entry, signal) : undefined;
  }

  /** What it has of the URL. */
  async at(url: URL): Promise<KnownFile | undefined> {
    const store = await this.store;
    const place = placeOf(url);
    const entry = store?.at(place);
    if (!store || !entry) return undefined;
    const version = new KnownVersion(entry, entry.places.get(place) ?? null);
    return { version, open: (signal) => this.#source(store, entry, signal) };
  }

  /** `file` is a job's input, whole and read-only. Never rejects. */
  async keep(file: string, stored: StoredFile, { url, etag, isOpen }: Version): Promise<void> {
    const store = await this.store;
    if (store) await this.cache.keep(store, file, stored, { place: placeOf(url), etag: etag ?? null, isOpen });
  }

  makeRoom(): Promise<boolean> {
    return this.cache.makeRoom();
  }

  async #source(store: TenantStore, entry: Entry, signal: AbortSignal): Promise<InputSource> {
    const cached = await CachedFile.open(store.pathOf(entry), entry, {
      onTaken: () => {
        this.#taken = { files: this.#taken.files + 1, bytes: this.#taken.bytes + entry.bytes };
        void this.cache.used(store, entry);
      },
      onDamaged: () => void this.cache.drop(store, entry),
    });
    return { chunks: cached.chunks(signal), bytes: entry.bytes, close: () => cached.close(), cached };
  }
}

/** Never the URL itself. Its user and password are among what was shown. */
function placeOf(url: URL): string {
  const plain = new URL(url);
  plain.username = plain.password = plain.hash = '';
  return createHash('sha256').update(plain.href).digest('hex');
}
