/** Repositories that were pulled from with a credential, in a file of this node: images outlive the process, and so does this. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { ConfigError } from '#lib/config';
import { type PrivateRepositories } from '#lib/execution';
import { z } from 'zod';

const kept = z.array(z.string());

export class KeptRepositories implements PrivateRepositories {
  readonly #repositories: Set<string>;

  /** `path`: of this node alone. Throws ConfigError for a file that is none of these. */
  constructor(private readonly path: string) {
    this.#repositories = new Set(read(path));
  }

  has(repository: string): boolean {
    return this.#repositories.has(repository);
  }

  /** On the disk when it returns. */
  add(repository: string): void {
    if (this.#repositories.has(repository)) return;
    const file = openSync(`${this.path}.tmp`, 'w', 0o600);
    try {
      writeSync(file, JSON.stringify([...this.#repositories, repository]));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${this.path}.tmp`, this.path);
    this.#repositories.add(repository);
  }
}

/** None where there is no file yet. */
function read(path: string): readonly string[] {
  try {
    return kept.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new ConfigError([
      `PORIN_WORK_DIR: ${path} is not the list of private repositories that a worker has written`,
    ]);
  }
}
