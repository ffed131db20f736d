import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acquireLock } from './lock.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-lock-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('a lock between processes', () => {
  it('is held by one at a time, and says so to the one that waits', async () => {
    const path = join(directory, 'two');
    const events: string[] = [];
    const release = await acquireLock(path, () => undefined);
    const second = acquireLock(path, () => {
      events.push('waits');
      void release();
    });
    await (
      await second
    )();
    expect(events).toEqual(['waits']);
  });

  it('is free again when its holder was killed', async () => {
    const path = join(directory, 'killed');
    // The first process holds the lock as acquireLock does: by a child that ends with its input.
    const holder = spawn(
      process.execPath,
      [
        '-e',
        `const c = require('child_process').spawn('flock', [process.argv[1], 'sh', '-c', 'echo locked; exec cat'],
           { stdio: ['pipe', 'pipe', 'ignore'], detached: true }); c.stdout.pipe(process.stdout)`,
        path,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await once(holder.stdout, 'data');
    holder.kill('SIGKILL');
    await (
      await acquireLock(path, () => undefined)
    )();
  });
});
