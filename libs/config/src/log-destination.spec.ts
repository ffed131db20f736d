import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logDestination } from './log-destination.js';

/** As it is compiled before every command. */
const COMPILED = resolve('.porin/dist/libs/config/src/index.js');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'porin-log-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('the log', () => {
  it('is written line by line', () => {
    const path = join(directory, 'log');
    const fd = openSync(path, 'a');
    const logger = pino({}, logDestination(fd));
    for (const number of [1, 2]) logger.info({ number, text: 'x'.repeat(100_000) }, 'a line');
    closeSync(fd);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([1, 2]);
  });

  it('shows every character of a name that a payload chose', () => {
    const path = join(directory, 'shown');
    const fd = openSync(path, 'a');
    const error = new Error('open /out/\u202etxt.a\n\x1b');
    pino({}, logDestination(fd)).error({ err: error, path: '\u202e' }, '\u2028');
    closeSync(fd);
    const line = readFileSync(path, 'utf8');
    expect(line).toMatch(/^[ -~]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ err: { message: error.message }, path: '\u202e', msg: '\u2028' });
  });

  it('costs a program on a full disk nothing but lines, and it still ends', async () => {
    const source = `
      import { pino } from ${JSON.stringify(import.meta.resolve('pino'))};
      import { logDestination, endOnUncaughtErrors } from ${JSON.stringify(COMPILED)};
      const logger = pino({}, logDestination());
      endOnUncaughtErrors(logger);
      let count = 0;
      setInterval(() => {
        logger.info({ text: 'x'.repeat(10_000) }, 'a line');
        if (++count === 50) throw new Error('as if');
      }, 1);`;
    const full = openSync('/dev/full', 'a');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', full, 'pipe'],
    });
    let stderr = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number | null];
    closeSync(full);
    expect([code, stderr]).toEqual([1, '']);
  });
});
