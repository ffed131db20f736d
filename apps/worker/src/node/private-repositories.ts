/** Repositories whose images are not for everybody, in a file of this node: images outlive the process, and so does this. */
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '#lib/config';
import { type PrivateRepositories } from '#lib/execution';
import { z } from 'zod';

const kept = z.array(z.string());

export class KeptRepositories implements PrivateRepositories {
  readonly #repositories: Set<string>;
  /** What the file holds. */
  #written: string;
  #writing: Promise<void> = Promise.resolve();

  /** `path`: of this node alone. Throws ConfigError for a file that is none of these. */
  constructor(private readonly path: string) {
    this.#repositories = new Set(read(path));
    this.#written = this.#text;
  }

  has(repository: string): boolean {
    return this.#repositories.has(repository);
  }

  /** On the disk when it resolves. */
  add(repository: string): Promise<void> {
    this.#repositories.add(repository);
    return this.#write();
  }

  delete(repository: string): Promise<void> {
    this.#repositories.delete(repository);
    return this.#write();
  }

  get #text(): string {
    return JSON.stringify([...this.#repositories]);
  }

  /** One after another; each writes all that is known by then. */
  #write(): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const text = this.#text;
        if (text === this.#written) return;
        await writeWhole(this.path, text);
        this.#written = text;
      });
    return this.#writing;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
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
