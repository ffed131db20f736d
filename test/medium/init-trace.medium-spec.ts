/** The notification trace of real payloads: complete, in order, bounded, and at the pace of who takes it. */
import { DenialList } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { renderPolicy } from '../../libs/execution/src/sandbox/policy-text.js';
import { eventually } from '../support/eventually.js';
import { CONNECT_TIMEOUT_MS, InitContainer, policyFor, runUnderInit } from '../support/init-container.js';
import { EPERM, NR, smallFilter } from '../support/small-filter.js';

const LINE =
  /^(?<at>\d+\.\d{6}) (?<tid>\d+) (?<number>\d+)(?<args>(?: 0x[0-9a-f]{1,16}){6})(?<pointed>(?: (?:path|cut|address|unreadable):[0-5]:\S*)*)$/;

interface TraceLine {
  readonly at: number;
  readonly number: number;
  readonly pointed: string;
}

function parse(text: string): TraceLine[] {
  if (text === '') return [];
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      const groups = LINE.exec(line)?.groups;
      expect(groups, line).toBeDefined();
      return { at: Number(groups?.at), number: Number(groups?.number), pointed: groups?.pointed ?? '' };
    });
}

async function traced(command: readonly string[], { maximumBytes = 1 << 30, denied = {} }) {
  const pieces: Buffer[] = [];
  const policy = policyFor(command, {
    filter: smallFilter({ denied, notifyAll: true }),
    trace: { maximumBytes },
  });
  const { end, output } = await runUnderInit(policy, {
    handlers: {
      onTrace: (text) => {
        pieces.push(text);
      },
    },
  });
  return { end, output, text: Buffer.concat(pieces).toString(), pieces };
}

describe('a notification trace', () => {
  it('has every call of the payload in order, with its time, thread, arguments and paths', async () => {
    const { end, output, text } = await traced(['try', 'open-passwd', 'connect', 'getppid'], {});
    expect(output).toMatch(/^open-passwd ok\nconnect E\w+\ngetppid ok\n$/);
    const lines = parse(text);
    expect(end?.traced).toEqual({ calls: lines.length, callsBeyondMaximum: 0 });
    expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).sort((a, b) => a - b));
    const wanted: number[] = [NR.openat, NR.connect, NR.getppid];
    expect(lines.filter(({ number }) => wanted.includes(number))).toEqual([
      expect.objectContaining({ number: NR.openat, pointed: ' path:1:/etc/passwd' }),
      expect.objectContaining({
        number: NR.connect,
        pointed: String.raw` address:1:\x02\x00\x11\x5c\x0a\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00`,
      }),
      expect.objectContaining({ number: NR.getppid, pointed: '' }),
    ]);
    // The execve that started the payload is no call of its own.
    expect(lines.map(({ number }) => number)).not.toContain(NR.execve);
    expect(end?.denials).toEqual([]);
  });

  it('has denied calls too, and they are denied and reported as ever', async () => {
    const { end, output, text } = await traced(['try', 'open-passwd', 'getppid'], {
      denied: { [NR.openat]: EPERM },
    });
    expect(output).toBe('open-passwd EPERM\ngetppid ok\n');
    expect(end?.denials).toMatchObject([{ call: 'openat', action: 'refused', count: 1 }]);
    expect(parse(text).filter(({ number }) => number === NR.openat)).toHaveLength(1);
  });

  it('ends at its maximum with a whole line, and counts what it leaves out', async () => {
    const { end, text } = await traced(['repeat-getppid', '5000'], { maximumBytes: 10_000 });
    expect(text.length).toBeLessThanOrEqual(10_000);
    expect(text.length).toBeGreaterThan(9_800);
    expect(end?.exited.end).toEqual({ exitCode: 0 });
    const { calls = 0, callsBeyondMaximum = 0 } = end?.traced ?? {};
    expect(calls).toBeGreaterThan(5000);
    expect(parse(text)).toHaveLength(calls - callsBeyondMaximum);
  });

  it('loses nothing to a worker that takes it slowly: the payload waits', async () => {
    const pieces: string[] = [];
    const policy = policyFor(['repeat-getppid', '50000'], {
      filter: smallFilter({ notifyAll: true }),
      trace: { maximumBytes: 1 << 30 },
    });
    const { end } = await runUnderInit(policy, {
      handlers: {
        onTrace: async (text) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          pieces.push(text.toString());
        },
      },
    });
    const lines = parse(pieces.join(''));
    expect(lines.filter(({ number }) => number === NR.getppid)).toHaveLength(50_000);
    expect(end?.traced).toEqual({ calls: lines.length, callsBeyondMaximum: 0 });
  });

  it('does not keep a payload from being killed while nobody takes it', async () => {
    const running = await InitContainer.start();
    const { control, container } = running;
    const processes = async () => ((await container.top()) as { Processes: unknown[] }).Processes;
    try {
      await control.accept(CONNECT_TIMEOUT_MS);
      const filter = smallFilter({ notifyAll: true });
      const endless = policyFor(['repeat-getppid', String(2 ** 31 - 1)], { filter });
      await control.sendPolicy(renderPolicy({ ...endless, trace: { maximumBytes: 1 << 30 } }));
      await control.go();
      let killed = false;
      let before = -1;
      const end = await control.finished(new DenialList(), {
        onTrace: async () => {
          if (killed) return;
          killed = true;
          await eventually(async () => {
            const last = before;
            before = control.bytesReceived;
            expect(before).toBe(last);
            expect(await processes()).toHaveLength(2);
          });
          control.kill();
          await eventually(async () => expect(await processes()).toHaveLength(1));
        },
      });
      expect(end.exited.end).toEqual({ signal: 9 });
      expect(end.traced?.calls).toBeGreaterThan(0);
    } finally {
      await running.remove();
    }
  });
});
