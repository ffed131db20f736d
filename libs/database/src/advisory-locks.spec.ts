import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ADVISORY_LOCKS } from './advisory-locks.js';

const HERE = 'libs/database/src/advisory-locks.ts';
const NUMBER = /\b7_?060_?1\d\d\b/g;
const plain = (text: string) => Number(text.replaceAll('_', ''));

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('spec.ts'))
    .map((path) => join(folder, path));
}

describe('advisory locks', () => {
  it('have a number of their own each', () => {
    const numbers = Object.values(ADVISORY_LOCKS);
    expect(new Set(numbers).size).toBe(numbers.length);
  });

  it('are written in one file; the migrations take the one of the roles', () => {
    for (const path of ['apps', 'libs', 'scripts'].flatMap(sources).filter((each) => each !== HERE)) {
      const text = readFileSync(path, 'utf8');
      expect([path, text.match(NUMBER)]).toEqual([path, null]);
      expect([path, /advisory\w*lock(_shared)?\((?!\$1|\$\{ADVISORY)/.exec(text)?.[0]]).toEqual([path, undefined]);
    }
    const migrated = sources('migrations').flatMap((path) => readFileSync(path, 'utf8').match(NUMBER) ?? []);
    expect(new Set(migrated.map(plain))).toEqual(new Set([ADVISORY_LOCKS.roles]));
  });
});
