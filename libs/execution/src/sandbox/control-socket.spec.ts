import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DenialList } from '../denial-list.js';
import { ControlSocket } from './control-socket.js';

const TIMEOUT_MS = 20_000;
const HELLO = 'hello 5 token 0.1.0 Ni4x 7 1\n';
const DENIAL = (id: number) => `denial ${id} 0xc000003e 110 refused 38 0x0 0x0 0x0 0x0 0x0 0x0\n`;
const EXITED = 'exited code 0 1 0 0 1 0 0\n';
const NO_FOREIGN_CALLS = 'foreign-calls 0 0\n';
const FOREIGN_PROGRAM = 'foreign-program i386 L2Jpbi9hbHQ=\n';

let directory: string;
let control: ControlSocket;
let peer: Socket;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porin-'));
  control = await ControlSocket.listen(join(directory, 'run', 'c.sock'), 'token');
  peer = connect(control.path);
  peer.on('error', () => undefined);
  await once(peer, 'connect');
});

afterEach(() => {
  peer.destroy();
  control.close();
  rmSync(directory, { recursive: true });
});

async function started(): Promise<void> {
  peer.write(HELLO);
  await control.accept(TIMEOUT_MS);
  peer.write('ready\nstarted none\n');
  await control.sendPolicy('policy 5\nend\n');
  expect(await control.go()).toEqual({ kind: 'started', landlockStatus: 'NOT_ENFORCED' });
}

describe('ControlSocket', () => {
  it('is open to every user, in a directory that is open to none but this one', async () => {
    const other = await ControlSocket.listen(join(directory, 'other', 'c.sock'), 'token');
    expect(statSync(other.path).mode & 0o777).toBe(0o666);
    expect(statSync(dirname(other.path)).mode & 0o777).toBe(0o700);
    other.close();
  });

  it('carries one payload from hello to exited', async () => {
    await started();
    const denials = new DenialList();
    const end = control.finished(denials);
    peer.write(`${DENIAL(0)}${DENIAL(1)}${NO_FOREIGN_CALLS}count 0 7\ncount 1 1\ndropped 3\n${EXITED}`);
    expect(await end).toMatchObject({ exited: { end: { exitCode: 0 } } });
    expect(denials.denials).toMatchObject([
      { call: 'getppid', count: 7 },
      { call: 'getppid', count: 1 },
    ]);
    expect(denials.dropped).toBe(3);
  });

  it('tells how often denials have happened while the payload runs, and takes the last counts as exact', async () => {
    await started();
    const counts: string[] = [];
    const denials = new DenialList((position) => counts.push(`${position} ${denials.at(position)?.count}`));
    const end = control.finished(denials);
    peer.write(`${DENIAL(0)}count 0 3\ntally 9 0 -\n${DENIAL(1)}count 0 5\ncount 1 2\ntally 12 4 1\n`);
    peer.write(`${NO_FOREIGN_CALLS}count 0 5\ncount 1 4\ndropped 6\n${EXITED}`);
    await end;
    expect(denials.dropped).toBe(6);
    expect(denials.denials).toMatchObject([{ count: 5 }, { count: 4 }]);
    expect(counts).toEqual(['0 1', '0 3', '1 1', '0 5', '1 2', '1 4']);
  });

  it('hands over the trace piece by piece, and reads no further before a piece is taken', async () => {
    await started();
    const taken: string[] = [];
    const end = control.finished(new DenialList(), {
      onTrace: async (text) => {
        taken.push(`begin ${text.toString()}`);
        await new Promise(setImmediate);
        taken.push(`end ${text.toString()}`);
      },
    });
    peer.write(`trace YQ==\ntrace Yg==\n${DENIAL(0)}traced 9 2\n${NO_FOREIGN_CALLS}count 0 1\ndropped 0\n${EXITED}`);
    expect((await end).traced).toEqual({ calls: 9, callsBeyondMaximum: 2 });
    expect(taken).toEqual(['begin a', 'end a', 'begin b', 'end b']);
  });

  it('tells of a program of another ABI, and how many calls of others there were', async () => {
    await started();
    const end = control.finished(new DenialList());
    peer.write(`${FOREIGN_PROGRAM}${DENIAL(0)}foreign-calls 3 1\ncount 0 4\ndropped 0\n${EXITED}`);
    expect(await end).toMatchObject({
      foreignProgram: { abi: 'i386', path: '/bin/alt' },
      foreignCalls: { compat: 3, x32: 1 },
    });
  });

  it('lets the container be looked at before porin-init may end', async () => {
    await started();
    const hungUp = once(peer, 'end');
    peer.resume();
    const end = control.finished(new DenialList(), {
      onExited: () => {
        expect(peer.readableEnded).toBe(false);
        return Promise.resolve();
      },
    });
    peer.write(`${NO_FOREIGN_CALLS}dropped 0\n${EXITED}`);
    await end;
    await hungUp;
  });

  it('takes lines in any pieces', async () => {
    const hello = control.accept(TIMEOUT_MS);
    for (const character of HELLO) {
      peer.write(character);
      await new Promise(setImmediate);
    }
    expect((await hello).kernel).toBe('6.1');
  });

  it('lets nobody connect after the first', async () => {
    peer.write(HELLO);
    await control.accept(TIMEOUT_MS);
    expect(existsSync(control.path)).toBe(false);
    const second = connect(control.path);
    await expect(once(second, 'connect')).rejects.toThrow('ENOENT');
  });

  it.each([
    ['wrong-token', HELLO.replace('token', 'tokem')],
    ['wrong-token', HELLO.replace('token', 'token2')],
    ['protocol-version', HELLO.replace('hello 5', 'hello 4')],
    ['unexpected-message', 'ready\n'],
    ['malformed-line', 'GET / HTTP/1.1\n'],
    ['malformed-line', '\n'],
    ['line-too-long', `hello ${'x'.repeat(20_000)}`],
  ])('hangs up with %s', async (code, text) => {
    const hungUp = once(peer, 'close');
    peer.write(text);
    peer.resume();
    await expect(control.accept(TIMEOUT_MS)).rejects.toMatchObject({ name: 'ControlChannelError', code });
    await hungUp;
  });

  it.each([
    ['a denial out of order', DENIAL(1)],
    ['an end without counts', `${DENIAL(0)}${EXITED}`],
    ['an end without the calls of other ABIs', `dropped 0\n${EXITED}`],
    ['the calls of other ABIs twice', NO_FOREIGN_CALLS + NO_FOREIGN_CALLS],
    ['a second program of another ABI', FOREIGN_PROGRAM + FOREIGN_PROGRAM],
    ['a program of another ABI after all its calls', NO_FOREIGN_CALLS + FOREIGN_PROGRAM],
    ['an end without the count of one', `${DENIAL(0)}${DENIAL(1)}count 0 1\ndropped 0\n`],
    ['a count before the last denial as its end', `${DENIAL(0)}count 0 2\n${DENIAL(1)}count 1 1\ndropped 0\n`],
    ['a count that falls', `${DENIAL(0)}count 0 5\ncount 0 4\n`],
    ['a count of nothing', 'count 0 1\n'],
    ['a trace that nobody asked for', 'trace YQ==\n'],
    ['an end of such a trace', 'traced 0 0\n'],
    ['an end whose counts a tally interrupts', `${DENIAL(0)}count 0 2\ntally 1 0 -\ndropped 0\n`],
    ['a tally in the past', 'tally 5 0 -\ntally 4 0 -\n'],
    ['a tally of fewer dropped calls', 'tally 5 3 -\ntally 6 2 -\n'],
    ['an end with fewer dropped calls', 'tally 5 3 -\ndropped 2\n'],
    ['a tally of a denial that there is not', `${DENIAL(0)}tally 5 3 1\n`],
    ['a tally after the counts', 'dropped 0\ntally 5 0 -\n'],
    ['a denial after the counts', `dropped 0\n${DENIAL(0)}`],
    ['a second start', 'started none\n'],
    ['a late failure', 'failed exec 2\n'],
  ])('refuses %s', async (_name, text) => {
    await started();
    peer.write(text);
    await expect(control.finished(new DenialList())).rejects.toMatchObject({ code: 'unexpected-message' });
  });

  it('misses the end of a trace that was asked for', async () => {
    await started();
    peer.write(`${NO_FOREIGN_CALLS}dropped 0\n${EXITED}`);
    const end = control.finished(new DenialList(), { onTrace: () => undefined });
    await expect(end).rejects.toMatchObject({ code: 'unexpected-message' });
  });

  it.each([
    ['between lines', ''],
    ['in the middle of one', 'exited code 0'],
    ['after counts', 'dropped 0\n'],
  ])('reports a hang-up %s', async (_name, text) => {
    await started();
    peer.end(text);
    await expect(control.finished(new DenialList())).rejects.toMatchObject({ code: 'hung-up' });
  });

  it('says why a payload did not start', async () => {
    peer.write(HELLO);
    await control.accept(TIMEOUT_MS);
    peer.write('ready\nfailed exec 13\n');
    await control.sendPolicy('policy 5\nend\n');
    expect(await control.go()).toEqual({ kind: 'failed', stage: 'exec', errno: 13 });
  });

  it('says that a payload did not start because it is for another ABI', async () => {
    peer.write(HELLO);
    await control.accept(TIMEOUT_MS);
    peer.write(`ready\n${FOREIGN_PROGRAM}failed exec 8\n`);
    await control.sendPolicy('policy 5\nend\n');
    expect(await control.go()).toMatchObject({ stage: 'exec', foreignProgram: { abi: 'i386', path: '/bin/alt' } });
  });

  it('takes a start of a program of another ABI for none', async () => {
    peer.write(HELLO);
    await control.accept(TIMEOUT_MS);
    peer.write(`ready\n${FOREIGN_PROGRAM}started none\n`);
    await control.sendPolicy('policy 5\nend\n');
    await expect(control.go()).rejects.toMatchObject({ code: 'unexpected-message' });
  });

  it('reports that nobody connected in time', async () => {
    const lonely = await ControlSocket.listen(join(directory, 'lonely', 'c.sock'), 'token');
    await expect(lonely.accept(1)).rejects.toMatchObject({ code: 'connect-timeout' });
    expect(existsSync(lonely.path)).toBe(false);
  });

  it('reports that who connected did not say hello in time', async () => {
    await expect(control.accept(1)).rejects.toMatchObject({
      code: 'connect-timeout',
      message: expect.stringContaining('did not say hello') as string,
    });
  });

  it('rejects whoever waits when it is closed', async () => {
    const lonely = await ControlSocket.listen(join(directory, 'lonely', 'c.sock'), 'token');
    const waiting = expect(lonely.accept(TIMEOUT_MS)).rejects.toMatchObject({ code: 'closed' });
    lonely.close();
    await waiting;

    await started();
    const end = expect(control.finished(new DenialList())).rejects.toMatchObject({ code: 'closed' });
    control.close();
    await end;
  });

  it('says that a path is too long for a socket', async () => {
    const path = join(directory, 'x'.repeat(120));
    await expect(ControlSocket.listen(path, 'token')).rejects.toMatchObject({ code: 'cannot-listen' });
  });

  it('says that a path cannot be listened on', async () => {
    const taken = join(directory, 'taken');
    writeFileSync(taken, '');
    await expect(ControlSocket.listen(taken, 'token')).rejects.toMatchObject({
      code: 'cannot-listen',
      cause: { code: 'EADDRINUSE' },
    });
  });
});
