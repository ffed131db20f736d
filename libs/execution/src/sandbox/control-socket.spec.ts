import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlSocket } from './control-socket.js';

const TIMEOUT_MS = 20_000;
const HELLO = 'hello 1 token 0.1.0 Ni4x 7 1\n';
const DENIAL = (id: number) => `denial ${id} 0xc000003e 110 refused 38 0x0 0x0 0x0 0x0 0x0 0x0\n`;
const EXITED = 'exited code 0 1 0 0 1 0 0\n';

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
  peer.write('ready\nstarted\n');
  await control.sendPolicy('policy 1\nend\n');
  await control.go();
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
    const first: string[] = [];
    const end = control.finished((denial) => first.push(denial.call));
    peer.write(`${DENIAL(0)}${DENIAL(1)}count 0 7\ncount 1 1\ndropped 3\n${EXITED}`);
    expect(await end).toMatchObject({ denials: [{ count: 7 }, { count: 1 }], denialsDropped: 3 });
    expect(first).toEqual(['getppid', 'getppid']);
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
    ['protocol-version', HELLO.replace('hello 1', 'hello 2')],
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
    ['a count of nothing', 'count 0 1\n'],
    ['a denial after the counts', `dropped 0\n${DENIAL(0)}`],
    ['a second start', 'started\n'],
    ['a late failure', 'failed exec 2\n'],
  ])('refuses %s', async (_name, text) => {
    await started();
    peer.write(text);
    await expect(control.finished()).rejects.toMatchObject({ code: 'unexpected-message' });
  });

  it.each([
    ['between lines', ''],
    ['in the middle of one', 'exited code 0'],
    ['after counts', 'dropped 0\n'],
  ])('reports a hang-up %s', async (_name, text) => {
    await started();
    peer.end(text);
    await expect(control.finished()).rejects.toMatchObject({ code: 'hung-up' });
  });

  it('says why a payload did not start', async () => {
    peer.write(HELLO);
    await control.accept(TIMEOUT_MS);
    peer.write('ready\nfailed exec 13\n');
    await control.sendPolicy('policy 1\nend\n');
    expect(await control.go()).toEqual({ kind: 'failed', stage: 'exec', errno: 13 });
  });

  it('reports that nobody connected in time', async () => {
    const lonely = await ControlSocket.listen(join(directory, 'lonely', 'c.sock'), 'token');
    await expect(lonely.accept(1)).rejects.toMatchObject({ code: 'connect-timeout' });
    expect(existsSync(lonely.path)).toBe(false);
  });

  it('rejects whoever waits when it is closed', async () => {
    const lonely = await ControlSocket.listen(join(directory, 'lonely', 'c.sock'), 'token');
    const waiting = expect(lonely.accept(TIMEOUT_MS)).rejects.toMatchObject({ code: 'closed' });
    lonely.close();
    await waiting;

    await started();
    const end = expect(control.finished()).rejects.toMatchObject({ code: 'closed' });
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
