import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSecretKeys } from './secret-keys.js';

let directory: string;
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'porin-keys-'))));
afterAll(() => rmSync(directory, { recursive: true }));

function keyFile(contents: string, mode = 0o600): string {
  const path = join(directory, randomBytes(4).toString('hex'));
  writeFileSync(path, contents, { mode });
  return path;
}
const line = () => randomBytes(32).toString('base64');

describe('the keys of secrets', () => {
  it('are read in the order of the file, each known by its own bytes', () => {
    const [one, other] = [line(), line()];
    const keys = readSecretKeys(keyFile(`${one}\n${other}\n`));
    expect(keys.map(({ key }) => key.export().toString('base64'))).toEqual([one, other]);
    const [again] = readSecretKeys(keyFile(other));
    expect(keys.map(({ id }) => id)).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), again?.id]);
    expect(keys[0]?.id).not.toBe(keys[1]?.id);
  });

  it.each([
    ['a file that is not there', () => join(directory, 'absent'), 'cannot be opened (ENOENT)'],
    ['a file that others can read', () => keyFile(line(), 0o640), 'is open to other users (mode 0640): run chmod 600'],
    ['an empty file', () => keyFile('\n'), 'openssl rand -base64 32'],
    ['a key of another length', () => keyFile(randomBytes(16).toString('base64')), 'openssl rand -base64 32'],
    ['what is no key beside one', () => keyFile(`${line()}\nhello`), 'openssl rand -base64 32'],
  ])('are refused from %s, with what to do and nothing of the file', (_name, path, problem) => {
    expect(() => readSecretKeys(path())).toThrow(problem);
  });
});
