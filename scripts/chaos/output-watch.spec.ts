import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OutputWatch } from './output-watch.js';

let directory: string;
let watch: OutputWatch;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-watch-'));
  watch = new OutputWatch(directory);
});
afterEach(() => {
  watch.close();
  rmSync(directory, { recursive: true });
});

function publish(name: string, text: string): void {
  writeFileSync(join(directory, `.${name}`), text);
  renameSync(join(directory, `.${name}`), join(directory, name));
}

it('counts how often an output was put in place, and not what is staged beside it', async () => {
  publish('once', 'a');
  publish('twice', 'b');
  publish('twice', 'c');
  await vi.waitFor(
    () =>
      expect([...watch.appearances].sort()).toEqual([
        ['once', 1],
        ['twice', 2],
      ]),
    10_000,
  );
  expect([...watch.published().keys()].sort()).toEqual(['once', 'twice']);
  expect(watch.published().get('twice')?.text).toBe('c');
});
