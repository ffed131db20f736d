import { describe, expect, it } from 'vitest';
import { parseControlMessage } from './control-message.js';

const DENIAL = 'denial 0 0xc000003e 257 refused 1 0xffffff9c 0x7ffe 0x80000 0x0 0x0 0xffffffffffffffff';
const EXITED = 'exited code 3 1000 200 300 4096 5 6';

describe('parseControlMessage', () => {
  it('reads a hello', () => {
    expect(parseControlMessage('hello 5 abc 0.1.0 Ni4xOC40NA== 7 1')).toEqual({
      kind: 'hello',
      protocol: 5,
      token: 'abc',
      initVersion: '0.1.0',
      kernel: '6.18.44',
      landlockAbi: 7,
      pid: 1,
    });
  });

  it('reads a denial with its 64-bit arguments, path and unreadable string', () => {
    const message = parseControlMessage(`${DENIAL} path:1:L2V0Yy9wYXNzd2Q= unreadable:3:-`);
    expect(message).toEqual({
      kind: 'denial',
      id: 0,
      auditArch: 0xc000003e,
      number: 257,
      action: 'refused',
      errno: 1,
      arguments: [0xffffff9cn, 0x7ffen, 0x80000n, 0n, 0n, 0xffffffffffffffffn],
      pointedTo: [
        { kind: 'path', argument: 1, bytes: Buffer.from('/etc/passwd') },
        { kind: 'unreadable', argument: 3 },
      ],
    });
  });

  it('reads a number as the caller gave it, signed', () => {
    expect(parseControlMessage(DENIAL.replace(' 257 ', ' 4294967295 '))).toMatchObject({ number: -1 });
    expect(parseControlMessage(DENIAL.replace(' 257 ', ' 1073741863 '))).toMatchObject({ number: 0x40000027 });
  });

  it('reads how the payload ended', () => {
    expect(parseControlMessage(EXITED)).toEqual({
      kind: 'exited',
      end: { exitCode: 3 },
      wallUs: 1000,
      userUs: 200,
      systemUs: 300,
      maxRssKib: 4096,
      voluntarySwitches: 5,
      involuntarySwitches: 6,
    });
    expect(parseControlMessage('exited signal 9 1 0 0 0 0 0')).toMatchObject({ end: { signal: 9 } });
  });

  it('reads the short messages', () => {
    expect(parseControlMessage('ready')).toEqual({ kind: 'ready' });
    expect(parseControlMessage('failed landlock 28')).toEqual({ kind: 'failed', stage: 'landlock', errno: 28 });
    expect(parseControlMessage('trace YSBiCg==')).toEqual({ kind: 'trace', text: Buffer.from('a b\n') });
    expect(parseControlMessage('traced 12 2')).toEqual({ kind: 'traced', calls: 12, callsBeyondMaximum: 2 });
    expect(parseControlMessage('failed exec 2')).toEqual({ kind: 'failed', stage: 'exec', errno: 2 });
    expect(parseControlMessage('count 3 5000')).toEqual({ kind: 'count', id: 3, count: 5000 });
    expect(parseControlMessage('tally 1000000 3 7')).toEqual({
      kind: 'tally',
      atUs: 1_000_000,
      dropped: 3,
      lastDropped: 7,
    });
    expect(parseControlMessage('tally 0 0 -')).toEqual({ kind: 'tally', atUs: 0, dropped: 0, lastDropped: undefined });
    expect(parseControlMessage('dropped 0')).toEqual({ kind: 'dropped', count: 0 });
    expect(parseControlMessage('foreign-calls 7 1')).toEqual({ kind: 'foreign-calls', compat: 7, x32: 1 });
    expect(parseControlMessage('foreign-program i386 L2Jpbi9hbHQ=')).toEqual({
      kind: 'foreign-program',
      program: { abi: 'i386', path: '/bin/alt' },
    });
  });

  it.each([
    ['none', 'NOT_ENFORCED'],
    ['partially', 'PARTIALLY_ENFORCED'],
    ['fully', 'FULLY_ENFORCED'],
  ])('reads that Landlock holds the files: %s', (word, landlockStatus) => {
    expect(parseControlMessage(`started ${word}`)).toEqual({ kind: 'started', landlockStatus });
  });

  it('reads that a path was longer than what is reported of it', () => {
    const message = parseControlMessage(`${DENIAL} cut:1:L2V0Yw==`);
    expect(message).toMatchObject({ pointedTo: [{ kind: 'cut', argument: 1, bytes: Buffer.from('/etc') }] });
  });

  it.each([
    '',
    ' ',
    'Ready',
    'ready ',
    'started',
    'started now',
    'started fully ',
    'foreign-calls 1',
    'foreign-calls 1 -1',
    'foreign-program i386',
    'foreign-program i386 -',
    'foreign-program amd64 L2E=',
    'foreign-program i386 L2E= L2E=',
    'trace',
    'trace ',
    'trace -',
    'trace YQ== YQ==',
    'traced 1',
    'traced 1 -1',
    'hello 5 abc 0.1.0 Ni4x 7',
    'hello 5 abc 0.1.0 Ni4x 7 1 1',
    'hello one abc 0.1.0 Ni4x 7 1',
    'failed lunch 2',
    'failed exec -2',
    'failed exec ENOENT',
    'count 01 1',
    'count 1 1e3',
    'dropped',
    'tally 1 0',
    'tally 1 0 --',
    'tally -1 0 -',
    'tally 1 0 - 0',
    DENIAL.replace('refused', 'ignored'),
    DENIAL.replace('refused 1', 'continued 0'),
    DENIAL.replace('0x7ffe', '7ffe'),
    DENIAL.replace('0x7ffe', '0x10000000000000000'),
    DENIAL.replace(' 0x7ffe', ''),
    `${DENIAL} 0x0`,
    `${DENIAL} path:6:YQ==`,
    `${DENIAL} path:1:`,
    `${DENIAL} path:1:Y Q==`,
    `${DENIAL} path:1:YQ== path:1:YQ== path:1:YQ==`,
    EXITED.replace('code', 'status'),
    EXITED.replace(' 6', ''),
    `${EXITED} 7`,
    'exec 1',
  ])('refuses %j', (line) => {
    expect(() => parseControlMessage(line)).toThrow(expect.objectContaining({ code: 'malformed-line' }));
  });
});
