/** Sees every file that appears among the published outputs, so that one that is put in place twice is known. */
import { createHash } from 'node:crypto';
import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Staged outputs lie beside their targets under hidden names. */
const isPublished = (name: string) => !name.startsWith('.');

export interface PublishedFile {
  readonly text: string;
  readonly sha256: string;
}

export class OutputWatch {
  /** How often a file of that name appeared: one rename each (inotify(7): IN_MOVED_TO, IN_CREATE). */
  readonly appearances = new Map<string, number>();
  readonly #watcher: FSWatcher;

  constructor(private readonly directory: string) {
    this.#watcher = watch(directory, (event, name) => {
      if (event === 'rename' && name !== null && isPublished(name)) {
        this.appearances.set(name, (this.appearances.get(name) ?? 0) + 1);
      }
    });
  }

  close(): void {
    this.#watcher.close();
  }

  /** By name. */
  published(): ReadonlyMap<string, PublishedFile> {
    const names = readdirSync(this.directory).filter(isPublished);
    return new Map(names.map((name) => [name, readPublished(join(this.directory, name))]));
  }
}

function readPublished(path: string): PublishedFile {
  const bytes = readFileSync(path);
  return { text: bytes.toString(), sha256: createHash('sha256').update(bytes).digest('hex') };
}
