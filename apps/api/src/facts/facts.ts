/**
 * What nearly every request looks up, kept for a moment. All of it is of one version of the database's facts (the sequence
 * fact_version, which grows with every change): a statement that acts by kept facts looks at the version itself, so that none
 * acts by what has changed.
 */
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PorinError } from '../errors/porin-error.js';

/** A change that is being committed while facts are read may go unseen for so long. */
const KEPT_MS = 1_000;
/** Then all are forgotten. */
const KEPT_MAXIMUM = 20_000;

interface Kept {
  readonly atMs: number;
  readonly value: Promise<unknown>;
}

@Injectable()
export class Facts {
  #version: string | undefined;
  #kept = new Map<string, Kept>();

  constructor(private readonly dataSource: DataSource) {}

  /** Of what is kept. */
  async version(): Promise<string> {
    return this.#version ?? this.#read();
  }

  /** What `load` resolves to, or what it did less than a second ago under this name. Undefined and null are not kept. */
  async of<T>(name: string, load: () => Promise<T>): Promise<T> {
    await this.version();
    const known = this.#kept.get(name);
    if (known && performance.now() - known.atMs < KEPT_MS) return known.value as Promise<T>;
    if (this.#kept.size >= KEPT_MAXIMUM) this.#kept.clear();
    const kept = { atMs: performance.now(), value: load() };
    this.#kept.set(name, kept);
    const forget = () => {
      if (this.#kept.get(name) === kept) this.#kept.delete(name);
    };
    kept.value.then((value) => {
      if (value === undefined || value === null) forget();
    }, forget);
    return kept.value;
  }

  /** Whether the version is another one than that by now. Then what was kept is forgotten. */
  async haveChanged(since: string): Promise<boolean> {
    return (await this.#read()) !== since;
  }

  async #read(): Promise<string> {
    const [row]: [{ version: string }] = await this.dataSource.query(
      'SELECT last_value::text AS version FROM porin.fact_version',
    );
    if (row.version !== this.#version) this.#kept = new Map();
    this.#version = row.version;
    return row.version;
  }
}

/** A statement found that the facts have changed: `Authenticator.asCaller` begins anew, and tells the caller only where they do not come to rest. */
export function staleFacts(): PorinError {
  return new PorinError('overloaded', 'What requests are held to changes all the time. Try again.');
}
