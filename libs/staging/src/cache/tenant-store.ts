/** What the cache has of one tenant: a file by its SHA-256, and beside it, as JSON, where it came from. */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type StoredFile } from '../stored-file.js';

/** A file counts as many bytes at least: so that small ones do not become too many. */
const LEAST_BYTES = 64 * 1024;
/** Of one file, the last places that it came from. */
const PLACES_MAXIMUM = 16;
const ETAG_CHARACTERS = 1024;
/** Files that are looked at together. */
const BATCH = 64;

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const origin = z.strictObject({
  bytes: z.int().min(0),
  isOpen: z.boolean(),
  /** By digest of the URL; null where the server names no version. The last one is the newest. */
  places: z.array(z.tuple([digest, z.string().max(ETAG_CHARACTERS).nullable()])).max(PLACES_MAXIMUM),
});

/** Where a file came from, as far as its server says. */
export interface Origin {
  /** Digest of the URL: it may hold what nobody is to read on a disk. */
  readonly place: string;
  /** A validator of which equal ones mean equal bytes; null where the server gave none. */
  readonly etag: string | null;
  /** Nothing was shown to get it: whoever may name its URL gets it. */
  readonly isOpen: boolean;
}

export class Entry {
  readonly places: Map<string, string | null>;

  constructor(
    readonly sha256: string,
    readonly bytes: number,
    public isOpen: boolean,
    places: Iterable<readonly [string, string | null]>,
  ) {
    this.places = new Map(places);
  }

  /** That it counts. */
  get charge(): number {
    return chargeOf(this.bytes);
  }
}

export function chargeOf(bytes: number): number {
  return Math.max(bytes, LEAST_BYTES);
}

export class TenantStore {
  /** The one that was used last comes last. */
  readonly #entries = new Map<string, Entry>();
  /** Digests of files by places. */
  readonly #byPlace = new Map<string, string>();
  #bytes = 0;
  #written: Promise<void> = Promise.resolve();

  private constructor(private readonly directory: string) {}

  /** What an earlier process left half is removed. */
  static async open(directory: string): Promise<TenantStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const store = new TenantStore(directory);
    const names = await readdir(directory);
    const found: { readonly entry: Entry; readonly usedMs: number }[] = [];
    for (let at = 0; at < names.length; at += BATCH) {
      const read = await Promise.all(names.slice(at, at + BATCH).map((name) => store.#read(name)));
      found.push(...read.filter((each) => each !== undefined));
    }
    found.sort((a, b) => a.usedMs - b.usedMs);
    for (const { entry } of found) store.#add(entry);
    const kept = new Set(found.flatMap(({ entry: { sha256 } }) => [sha256, nameOfOrigin(sha256)]));
    for (const name of names) if (!kept.has(name)) await rm(join(directory, name), { recursive: true, force: true });
    return store;
  }

  /** That its files count together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one that was used longest ago comes first. */
  get entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  pathOf({ sha256 }: Pick<Entry, 'sha256'>): string {
    return join(this.directory, sha256);
  }

  find(sha256: string): Entry | undefined {
    return this.#entries.get(sha256);
  }

  at(place: string): Entry | undefined {
    const sha256 = this.#byPlace.get(place);
    return sha256 === undefined ? undefined : this.#entries.get(sha256);
  }

  /** `file` gets another name, here: nobody writes to it any more. */
  async keep(file: string, { sha256, bytes }: StoredFile, { place, etag, isOpen }: Origin): Promise<void> {
    if (!this.find(sha256)) await this.#link(file, sha256);
    this.at(place)?.places.delete(place);
    const known = this.find(sha256);
    const entry = new Entry(sha256, bytes, isOpen || (known?.isOpen ?? false), known?.places ?? []);
    entry.places.delete(place);
    entry.places.set(place, etag === null || etag.length > ETAG_CHARACTERS ? null : etag);
    for (const oldest of entry.places.keys()) if (entry.places.size > PLACES_MAXIMUM) entry.places.delete(oldest);
    // Before anything is waited for: others merge with it.
    this.#remove(entry);
    this.#add(entry);
    await this.#write(entry).catch(async (error: unknown) => {
      await this.drop(entry);
      throw error;
    });
  }

  async used(entry: Entry): Promise<void> {
    if (this.find(entry.sha256) !== entry) return;
    this.#remove(entry);
    this.#add(entry);
    const now = new Date();
    await utimes(join(this.directory, nameOfOrigin(entry.sha256)), now, now);
  }

  /** Jobs that have the file keep it. */
  async drop(entry: Entry): Promise<void> {
    if (this.find(entry.sha256) !== entry) return;
    this.#remove(entry);
    await rm(join(this.directory, nameOfOrigin(entry.sha256)), { force: true });
    await rm(this.pathOf(entry), { force: true });
  }

  async #link(file: string, sha256: string): Promise<void> {
    const path = this.pathOf({ sha256 });
    await rm(path, { force: true });
    await link(file, path).catch(async (error: unknown) => {
      // Another job may have brought the same at this moment.
      await stat(path).catch(() => {
        throw error;
      });
    });
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.sha256, entry);
    this.#bytes += entry.charge;
    for (const place of entry.places.keys()) this.#byPlace.set(place, entry.sha256);
  }

  #remove({ sha256 }: Entry): void {
    const entry = this.#entries.get(sha256);
    if (!entry) return;
    this.#entries.delete(sha256);
    this.#bytes -= entry.charge;
    for (const place of entry.places.keys()) if (this.#byPlace.get(place) === sha256) this.#byPlace.delete(place);
  }

  /** One after another, so that the last one is what stays. */
  #write(entry: Entry): Promise<void> {
    const turn = this.#written.then(() => this.#writeNow(entry));
    this.#written = turn.catch(() => undefined);
    return turn;
  }

  /** Whole or not at all; after a loss of power it may be empty, and is not believed then. */
  async #writeNow({ sha256, bytes, isOpen, places }: Entry): Promise<void> {
    const temporary = join(this.directory, `.${randomUUID()}`);
    try {
      await writeFile(
        temporary,
        JSON.stringify({ bytes, isOpen, places: [...places] } satisfies z.input<typeof origin>),
      );
      await rename(temporary, join(this.directory, nameOfOrigin(sha256)));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** Undefined where the name is none of a file's origin, or the file is not there. */
  async #read(name: string): Promise<{ readonly entry: Entry; readonly usedMs: number } | undefined> {
    const sha256 = name.replace(/\.json$/, '');
    if (name !== nameOfOrigin(sha256) || !digest.safeParse(sha256).success) return undefined;
    try {
      const path = join(this.directory, name);
      const { bytes, isOpen, places } = origin.parse(JSON.parse(await readFile(path, 'utf8')));
      const [file, { mtimeMs }] = await Promise.all([stat(this.pathOf({ sha256 })), stat(path)]);
      if (!file.isFile() || file.size !== bytes) return undefined;
      return { entry: new Entry(sha256, bytes, isOpen, places), usedMs: mtimeMs };
    } catch {
      return undefined;
    }
  }
}

function nameOfOrigin(sha256: string): string {
  return `${sha256}.json`;
}
