import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeptRepositories } from './private-repositories.js';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'porin-private-'))));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the private repositories of a node', () => {
  it('are known to the next process too', () => {
    const path = join(directory, 'list');
    const first = new KeptRepositories(path);
    expect(first.has('registry.example.org/a')).toBe(false);
    first.add('registry.example.org/a');
    first.add('registry.example.org/b');
    const next = new KeptRepositories(path);
    expect(['a', 'b', 'c'].map((name) => next.has(`registry.example.org/${name}`))).toEqual([true, true, false]);
  });

  it('are not taken for none where the file is broken', () => {
    const path = join(directory, 'broken');
    writeFileSync(path, '["registry.exam');
    expect(() => new KeptRepositories(path)).toThrow(path);
  });
});
