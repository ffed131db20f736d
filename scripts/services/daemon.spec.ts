import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isOurs, parseStat, runningDaemon, startDaemon, stopDaemon } from './daemon.js';

const stat = (name: string, state: string, startTicks = 500) =>
  `7 (${name}) ${state} 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 ${startTicks} 0 0\n`;
const proc = (statLine: string, cmdline: string) => (_pid: number, file: string) =>
  file === 'stat' ? statLine : cmdline;
const mark = '/srv/porin/.porin/stack';
const record = { pid: 7, startTicks: 500, mark };

describe('trust in a remembered pid', () => {
  it.each([
    ['our running process', proc(stat('redis', 'S'), `redis-server\0${mark}/redis.conf`), true],
    ['ours while it executes a program', proc(stat('node', 'R'), ''), true],
    ['a zombie of ours', proc(stat('redis', 'Z'), ''), false],
    ['a stranger that got the same pid', proc(stat('sshd', 'S'), 'sshd: root'), false],
    ['a later process with our pid and mark', proc(stat('redis', 'S', 900), `redis-server\0${mark}/redis.conf`), false],
    ['a name that looks like a state', proc(stat('a) Z b', 'S'), mark), true],
  ])('%s', (_name, read, expected) => {
    expect(isOurs(record, read)).toBe(expected);
  });

  it('does not trust a pid that is gone', () => {
    expect(
      isOurs(record, () => {
        throw new Error('ENOENT');
      }),
    ).toBe(false);
  });

  it('reads the start time of a real process', () => {
    const { parent, startTicks } = parseStat(readFileSync('/proc/self/stat', 'utf8'));
    expect(parent).toBe(process.ppid);
    expect(startTicks).toBeGreaterThan(0);
  });
});

describe('a daemon', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'porin-daemon-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  const place = (name: string) => ({
    pidFile: join(directory, `${name}.pid`),
    logFile: join(directory, `${name}.log`),
    mark: directory,
  });

  it('is known again by its pid file until it is stopped', async () => {
    const where = place('known');
    const started = startDaemon(where, ['sh', '-c', 'sleep 600; :', directory]);
    expect(runningDaemon(where)).toEqual(started);
    await stopDaemon(started, 10_000);
    expect(runningDaemon(where)).toBeUndefined();
    await stopDaemon(started, 10_000);
  });

  it('is killed when it ignores SIGTERM', async () => {
    const where = place('stubborn');
    const started = startDaemon(where, ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done', directory]);
    await stopDaemon(started, 300);
    expect(isOurs(started)).toBe(false);
  });

  it.each(['', 'garbage', '12', '-4 7', '999999999 1'])('is not found by the pid file "%s"', (text) => {
    const where = place('broken');
    writeFileSync(where.pidFile, text);
    expect(runningDaemon(where)).toBeUndefined();
  });

  it('is reported when its program does not exist', () => {
    expect(() => startDaemon(place('absent'), [join(directory, 'no-such-program')])).toThrow('is it installed?');
  });
});
