import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeptRepositories } from './private-repositories.js';

const NAMES = ['a', 'b', 'c'].map((name) => `registry.example.org/${name}`);
const [A = '', B = '', C = ''] = NAMES;
let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'porin-private-'))));
afterAll(() => rmSync(directory, { recursive: true }));

const keptAt = (path: string) => {
  const next = new KeptRepositories(path);
  return NAMES.filter((name) => next.has(name));
};

describe('the private repositories of a node', () => {
  it('are known to the next process too, until they are taken out', async () => {
    const path = join(directory, 'list');
    const first = new KeptRepositories(path);
    expect(first.has(A)).toBe(false);
    await Promise.all([first.add(A), first.add(B), first.add(C)]);
    expect(keptAt(path)).toEqual([A, B, C]);
    await Promise.all([first.delete(B), first.delete(C), first.add(C)]);
    expect(keptAt(path)).toEqual([A, C]);
    expect(readdirSync(directory)).toEqual(['list']);
  });

  it('are hidden at once, and written again where that failed', async () => {
    const path = join(directory, 'failing');
    const repositories = new KeptRepositories(path);
    mkdirSync(`${path}.new`);
    const adding = repositories.add(A);
    expect(repositories.has(A)).toBe(true);
    await expect(adding).rejects.toThrow('EISDIR');
    rmdirSync(`${path}.new`);
    await repositories.add(A);
    expect(keptAt(path)).toEqual([A]);
  });

  it('are not taken for none where the file is broken', () => {
    const path = join(directory, 'broken');
    writeFileSync(path, '["registry.exam');
    expect(() => new KeptRepositories(path)).toThrow(path);
  });
});
