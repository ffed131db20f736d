import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, stopDaemon } from './daemon.js';
import { supervisorCommand } from './programs.js';
import { afterEnd, afterStart, describeSupervision, NEVER_ENDED, readSupervision } from './supervision.js';

const end = (ranMs: number) => ({ atMs: Date.UTC(2026, 0, 1), ranMs, how: 'exit code 1' });

describe('the pause before a program is started again', () => {
  it('doubles with each early end, up to a minute, for ever', () => {
    let supervision = NEVER_ENDED;
    const pauses = Array.from({ length: 200 }, () => {
      const { after, pauseMs } = afterEnd(supervision, end(10));
      supervision = afterStart(after);
      return pauseMs;
    });
    expect(pauses.slice(0, 8)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(pauses.at(-1)).toBe(60_000);
    expect(supervision.restarts).toBe(200);
  });

  it('is the first one again after the program has run for a minute', () => {
    const { pauseMs, after } = afterEnd({ restarts: 7, earlyEnds: 7 }, end(60_000));
    expect([pauseMs, after.restarts]).toEqual([1_000, 8]);
  });

  it('is told, with the last end and the next start', () => {
    const { after } = afterEnd(NEVER_ENDED, end(10));
    expect(describeSupervision(NEVER_ENDED)).toBe('');
    expect(describeSupervision(after)).toBe(
      'does not run: it ended 1 time, last exit code 1 at 2026-01-01T00:00:00.000Z; ' +
        'the next start is at 2026-01-01T00:00:01.000Z',
    );
    expect(describeSupervision(afterStart(after))).toBe(
      'started again 1 time, last after exit code 1 at 2026-01-01T00:00:00.000Z',
    );
  });
});

describe('a supervisor', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'porin-supervisor-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Of a program that notes its pid and then does what the script says. */
  function supervise(name: string, script: string) {
    const [statusFile, pids, program] = ['json', 'pids', 'mjs'].map((end) => join(directory, `${name}.${end}`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(pids, '');
    const note = `(await import('node:fs')).appendFileSync(${JSON.stringify(pids)}, process.pid + '\\n');`;
    writeFileSync(program, `${note}\n${script}`);
    const [command = '', ...args] = supervisorCommand(statusFile, [program]);
    const child = spawn(command, args, { stdio: 'ignore' });
    return {
      child,
      status: () => readSupervision(statusFile),
      pids: () => readFileSync(pids, 'utf8').split('\n').filter(Boolean).map(Number),
    };
  }
  async function until(what: () => boolean): Promise<void> {
    for (const deadline = Date.now() + 20_000; !what();) {
      if (Date.now() > deadline) throw new Error('it did not come to pass');
      await sleep(20);
    }
  }
  const runs = (pid: number) => {
    try {
      return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };

  it('starts its program again when it crashes and when it is killed, and tells how often', async () => {
    const { child, pids, status } = supervise('crash', 'setInterval(() => undefined, 1000);');
    await until(() => pids().length === 1);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => pids().length === 2);
    expect(status()).toMatchObject({ restarts: 1, lastEnd: { how: 'killed by SIGKILL' } });
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(pids().filter(runs)).toEqual([]);
  });

  it('ends only after its program, which may take its time', async () => {
    const { child, pids } = supervise(
      'slow',
      `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 500)); setInterval(() => undefined, 1000);`,
    );
    await until(() => pids().length === 1);
    await sleep(200);
    child.kill('SIGTERM');
    await sleep(200);
    expect(child.exitCode).toBeNull();
    await once(child, 'exit');
    expect(pids()).toHaveLength(1);
  });

  it('leaves no program behind when it is killed itself', async () => {
    const { child, pids } = supervise('killed', 'setInterval(() => undefined, 1000);');
    await until(() => pids().length === 1);
    child.kill('SIGKILL');
    await until(() => !pids().some(runs));
  });

  it.each([
    ['hangs', 'for (;;);'],
    ['ignores SIGTERM', `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);`],
  ])('and its program are both ended when the program %s', async (what, script) => {
    const name = what.replaceAll(' ', '-');
    const [pids, program] = [join(directory, `${name}.pids`), join(directory, `${name}.mjs`)];
    writeFileSync(
      program,
      `(await import('node:fs')).appendFileSync(${JSON.stringify(pids)}, String(process.pid));\n${script}`,
    );
    writeFileSync(pids, '');
    const mark = `--instance=${directory}/${name}`;
    const place = { pidFile: join(directory, `${name}.pid`), logFile: join(directory, `${name}.log`), mark };
    const record = startDaemon(place, supervisorCommand(join(directory, `${name}.json`), [program, mark]));
    await until(() => readFileSync(pids, 'utf8') !== '');
    const pid = Number(readFileSync(pids, 'utf8'));
    await sleep(200);
    await stopDaemon(record, 500);
    expect([record.pid, pid].filter(runs)).toEqual([]);
  });

  it('starts its program again where it cannot write what it knows', async () => {
    const pids = join(directory, 'unwritten.pids');
    const program = join(directory, 'unwritten.mjs');
    writeFileSync(pids, '');
    writeFileSync(program, `(await import('node:fs')).appendFileSync(${JSON.stringify(pids)}, 'x'); process.exit(1);`);
    const full = openSync('/dev/full', 'a');
    const [command = '', ...args] = supervisorCommand(join(directory, 'no-such-directory', 'status'), [program]);
    const child = spawn(command, args, {
      stdio: ['ignore', full, full],
    });
    await until(() => readFileSync(pids, 'utf8').length >= 2);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    await once(child, 'exit');
    closeSync(full);
  });

  it('says that the program does not run while it waits to start it again', async () => {
    const { child, status } = supervise('failing', 'process.exit(3);');
    await until(() => status().nextStartAt !== undefined && status().restarts >= 2);
    expect(status()).toMatchObject({ earlyEnds: 2, lastEnd: { how: 'exit code 3' } });
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
});
