/** The client against what is not an engine, or a hostile one: every call ends, and nothing else does. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readEngine } from '../containers/probe-node.js';
import { LogCapture } from '../containers/log-capture.js';
import { RunContainer } from '../containers/container.js';
import { type ContainerSpecification } from '../containers/container-specification.js';
import { removeContainers } from '../containers/remove-containers.js';
import { ImageError } from '../images/image-error.js';
import { pullImage } from '../images/pull-image.js';
import { PullTurn } from '../images/pull-turn.js';
import { pulledImages } from '../images/remove-image.js';
import { resolveImage } from '../images/resolve-image.js';
import { Engine } from './engine.js';
import { EngineError } from './engine-error.js';

let directory: string;
let server: Server;
let requests: string[];
let sockets: Set<Socket>;
/** What comes back for a request. */
let answer: (socket: Socket, request: string) => void;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'porin-engine-'));
  requests = [];
  sockets = new Set();
  server = createServer((socket) => {
    sockets.add(socket);
    let head = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      const isFirst = head === '';
      head += chunk.toString();
      if (!isFirst) return;
      requests.push(head.split('\r\n')[0] ?? '');
      answer(socket, head);
    });
  }).listen(join(directory, 's'));
  await once(server, 'listening');
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
  rmSync(directory, { recursive: true, force: true });
});

const engine = () => new Engine(join(directory, 's'));
const head = (status: string, ...headers: string[]) => [`HTTP/1.1 ${status}`, ...headers, '', ''].join('\r\n');
const json = (value: unknown) => {
  const body = JSON.stringify(value);
  return head('200 OK', `Content-Length: ${Buffer.byteLength(body)}`) + body;
};

/** Writes as fast as it is read, until the other side has had enough. */
function endless(socket: Socket, begin: string, chunk: string): void {
  socket.write(begin);
  const more = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

const MEBIBYTE = ' '.repeat(1024 ** 2);
const HOSTILE: Readonly<Record<string, (socket: Socket) => void>> = {
  'a redirect': (socket) => socket.end(head('301 Moved', 'Location: http://127.0.0.1:1/', 'Content-Length: 0')),
  'a redirect on itself': (socket) => socket.end(head('307 Moved', 'Location: /version', 'Content-Length: 0')),
  'a redirect to nowhere': (socket) => socket.end(head('302 Moved', 'Location: :::', 'Content-Length: 0')),
  'a body without end': (socket) => endless(socket, head('200 OK'), MEBIBYTE),
  'an error without end': (socket) => endless(socket, head('500 Oops'), MEBIBYTE),
  'chunks without end': (socket) =>
    endless(socket, head('200 OK', 'Transfer-Encoding: chunked'), `100000\r\n${MEBIBYTE}\r\n`),
  'headers without end': (socket) => endless(socket, 'HTTP/1.1 200 OK\r\n', 'X-More: and more\r\n'.repeat(1000)),
  'provisional answers without end': (socket) => endless(socket, '', head('103 Early Hints').repeat(100)),
  'half an answer': (socket) => socket.end(head('200 OK', 'Content-Length: 1000') + '{"Version":'),
  'half an answer, and silence': (socket) => socket.write(head('200 OK', 'Content-Length: 1000') + '{"Version":'),
  'half an answer, and a reset': (socket) => {
    socket.write(head('200 OK', 'Content-Length: 1000') + '{"Version":');
    setTimeout(() => socket.destroy(), 20);
  },
  'a reset': (socket) => socket.destroy(),
  'an end': (socket) => socket.end(),
  silence: () => undefined,
  garbage: (socket) => socket.end('\0\u0001SSH-2.0-OpenSSH\r\n\r\n'),
  'a change of protocol': (socket) =>
    socket.write(head('101 Switching Protocols', 'Upgrade: tcp', 'Connection: Upgrade') + 'hello'),
  'no JSON': (socket) => socket.end(head('200 OK', 'Content-Length: 5') + 'hello'),
  'JSON of another shape': (socket) => socket.end(json([null])),
  'JSON that is deep': (socket) => {
    const body = '['.repeat(500_000);
    socket.end(head('200 OK', `Content-Length: ${body.length}`) + body);
  },
  'an error that is JSON of another shape': (socket) => {
    const body = '{"message":{"toString":1}}';
    socket.end(head('500 Oops', `Content-Length: ${body.length}`) + body);
  },
  'an impossible length': (socket) => socket.end(head('200 OK', 'Content-Length: -1') + '{}'),
  'two lengths': (socket) => socket.end(head('200 OK', 'Content-Length: 1', 'Content-Length: 2') + '{}'),
  'a body after an answer without one': (socket) => socket.end(head('204 No Content') + MEBIBYTE),
};

describe.each(Object.entries(HOSTILE))('an engine that answers with %s', (_what, hostile) => {
  beforeEach(() => {
    answer = hostile;
  });

  it('fails a call in time, by a reason, and is asked once', async () => {
    const version = engine().json(z.object({ Version: z.string() }), {
      method: 'GET',
      path: ['version'],
      timeoutMs: 300,
    });
    await expect(version).rejects.toBeInstanceOf(EngineError);
    expect(requests).toEqual(['GET /version HTTP/1.1']);
  });

  it('fails a pull in time', async () => {
    const pull = pullImage(engine(), {
      reference: 'edf:1',
      signal: AbortSignal.timeout(300),
      onProgress: () => undefined,
    });
    const ended = await pull.then(
      () => 'pulled',
      (error: unknown) => error,
    );
    // An answer that ends at once tells of no failure: whether the image is there is asked then.
    if (ended !== 'pulled') expect(ended).toBeInstanceOf(Error);
    expect(requests).toHaveLength(1);
  });

  it('does not keep the output of a payload from being given up', async () => {
    const stream = await engine()
      .stream({ method: 'POST', path: ['containers', 'a', 'attach'], timeoutMs: 300 })
      .catch(() => undefined);
    if (!stream) return;
    const logs = new LogCapture(stream, 1000, () => undefined);
    await sleep(50);
    logs.close();
    await logs.ended.catch(() => undefined);
    const { stdout, stderr } = logs.summary();
    expect(stdout.bytes + stderr.bytes).toBeLessThanOrEqual(2000);
  });
});

describe('a request to the engine', () => {
  beforeEach(() => {
    answer = (socket) => socket.end(json({}));
  });

  it('has every part of its path encoded', async () => {
    await engine().send({ method: 'GET', path: ['images', '../containers/json?x=#%2f\\', 'json'] });
    expect(requests).toEqual(['GET /images/..%2Fcontainers%2Fjson%3Fx%3D%23%252f%5C/json HTTP/1.1']);
  });

  it.each(['', '.', '..', '\ud800'])('with %j in its path is never sent', async (part) => {
    const sent = engine().send({ method: 'GET', path: ['images', part, 'json'] });
    await expect(sent).rejects.toMatchObject({ reason: 'malformed' });
    expect(requests).toEqual([]);
  });

  it('ends when it is given up', async () => {
    answer = () => undefined;
    const abort = new AbortController();
    const sent = engine().send({ method: 'GET', path: ['info'], signal: abort.signal });
    setTimeout(() => abort.abort('canceled'), 50);
    await expect(sent).rejects.toMatchObject({ reason: 'aborted' });
  });
});

describe('a hostile engine', () => {
  const source = (changes = {}) => ({
    engine: engine(),
    turn: new PullTurn(),
    limits: { bytes: 1, freeBytes: 0, timeoutMs: 500, stallMs: 200 },
    dataRoot: () => Promise.reject(new EngineError('status', 'secret', 500)),
    isPublic: () => Promise.resolve(true),
    privateRepositories: new Set<string>(),
    ...changes,
  });
  const allowed = {
    accessOf: () => ({ registry: 'named', local: 'named' }) as const,
    signal: new AbortController().signal,
  };

  it('passes nothing that it says on to whoever named the image', async () => {
    answer = (socket) => {
      const body = JSON.stringify({ message: 'secret of another service' });
      socket.end(head('500 Oops', `Content-Length: ${body.length}`) + body);
    };
    const error: unknown = await resolveImage(source(), 'edf:1', allowed).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ImageError);
    expect((error as ImageError).message).not.toContain('secret');
    expect(((error as ImageError).cause as Error).message).toContain('secret');
    for (const call of [
      RunContainer.create(engine(), 'a', {} as ContainerSpecification),
      pulledImages(engine()),
      removeContainers(engine(), { a: 'b' }),
    ]) {
      await expect(call).rejects.toMatchObject({
        code: 'engine-error',
        message: expect.not.stringContaining('secret') as string,
      });
    }
  });

  it('is asked nothing about what is no reference of an image', async () => {
    for (const image of ['../containers/json?x=', '../127.0.0.1:1/x?x=', 'EDF', 'a%2f..', 'edf\n', 'edf@sha256:1']) {
      await expect(resolveImage(source(), image, allowed)).rejects.toMatchObject({ code: 'image-invalid' });
    }
    expect(requests).toEqual([]);
  });

  it('cannot pass one image off as another that begins like its id', async () => {
    const id = `sha256:${'ab'.repeat(32)}`;
    answer = (socket, request) =>
      socket.end(
        request.startsWith('GET')
          ? json({ Id: id, RepoTags: ['secret:1'], RepoDigests: [], Os: 'linux', Architecture: 'amd64' })
          : json({ error: 'manifest unknown' }),
      );
    const accessOf = () => ({ registry: 'refused', local: 'named' }) as const;
    await expect(resolveImage(source(), 'abab', { ...allowed, accessOf })).rejects.toMatchObject({
      code: 'image-not-on-node',
    });
  });
});

describe('what an engine says of itself', () => {
  const answering = (version: object, info: object = {}) => {
    answer = (socket, request) => socket.end(json(request.startsWith('GET /version') ? version : info));
    return readEngine(engine());
  };
  const podman = (runtime: object) => ({
    Version: '4.3.1',
    Components: [
      { Name: 'Podman Engine', Version: '4.3.1', Details: { APIVersion: '4.3.1' } },
      { Name: 'Conmon', Version: 'conmon version 2.1.6, commit: unknown', Details: {} },
      runtime,
    ],
  });

  it('is read of Docker', async () => {
    const version = { Version: '20.10.24+dfsg1', Components: [{ Name: 'runc', Version: '1.1.5+ds1', Details: {} }] };
    await expect(answering(version, { NCPU: 4, MemTotal: 1024 })).resolves.toEqual({
      ...{ isPodman: false, version: '20.10.24+dfsg1', runcVersion: '1.1.5+ds1', cores: 4, memoryBytes: 1024 },
    });
  });

  it('is read of Podman with crun, which says much of how it was built', async () => {
    const crun = {
      Name: 'OCI Runtime (crun)',
      Version:
        'crun version 1.8.1\ncommit: f8a096be060b22ccd3d5f3ebe44108517fbf6c30\nrundir: /run/user/0/crun\nspec: 1.0.0\n' +
        '+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF +CRIU +LIBKRUN +WASM:wasmedge +YAJL',
    };
    await expect(answering(podman(crun))).resolves.toMatchObject({ isPodman: true, runcVersion: undefined });
  });

  it('is read of Podman with runc, whose version is held to its known vulnerabilities', async () => {
    const Version =
      'runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev\ngo: go1.19.8\nlibseccomp: 2.5.4';
    const facts = await answering(podman({ Name: 'OCI Runtime (runc)', Version }));
    expect(facts).toMatchObject({ isPodman: true, runcVersion: '1.1.5+ds1' });
  });

  it('is cut where it is long, and may be left out', async () => {
    await expect(answering({ Version: 'v'.repeat(5000), Components: null })).resolves.toMatchObject({
      ...{ version: 'v'.repeat(200), runcVersion: undefined, cores: undefined },
    });
  });
});
