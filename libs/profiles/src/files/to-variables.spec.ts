import { describe, expect, it } from 'vitest';
import { type SocketUse } from '../model/recording.js';
import { type Places } from './places.js';
import { recordingOf } from './recordings.fixture.js';
import { toVariables } from './to-variables.js';

const places: Places = {
  inputs: ['/in/night.edf', '/out/model', '/out/model/scratch/seed'],
  outputs: ['/out', '/tmp/out'],
  temporary: ['/tmp', '/dev/shm', '/out/model/scratch'],
};
const pathsOf = (...uses: string[]) => toVariables(recordingOf(uses), places).files?.map(({ path }) => path);

describe('toVariables', () => {
  it.each([
    ['/in/night.edf', '{inputs}'],
    ['/in/night.edf.bak', '/in/night.edf.bak'],
    ['/in', '/in'],
    ['/out', '{outputs}'],
    ['/out/a/b.edf', '{outputs}/a/b.edf'],
    ['/output', '/output'],
    ['/tmp/x', '{temporary}/x'],
    ['/dev/shm/sem.1', '{temporary}/sem.1'],
    ['/usr/lib/libc.so.6', '/usr/lib/libc.so.6'],
  ])('%s is %s', (path, variable) => {
    expect(pathsOf(`read ${path}`)).toEqual([variable]);
  });

  it('takes the innermost of places in one another', () => {
    expect(
      pathsOf('read /tmp/out/a', 'read /out/model/a', 'read /out/model/scratch/a', 'read /out/model/scratch/seed'),
    ).toEqual(['{outputs}/a', '{inputs}/a', '{temporary}/a', '{inputs}']);
  });

  it('takes what may be written for no input', () => {
    const both = { inputs: ['/data'], outputs: ['/data'], temporary: [] };
    expect(toVariables(recordingOf(['write /data/a']), both).files?.[0]?.path).toBe('{outputs}/a');
  });

  it('counts together what is the same by then, so that recordings of equal work are equal', () => {
    const other = { ...places, inputs: ['/in/a', '/in/b'] };
    expect(
      toVariables(recordingOf(['read ok 2 /in/a', 'read ok 3 /in/b', 'read ENOENT 1 /in/a']), other).files,
    ).toEqual([
      { path: '{inputs}', access: 'read', result: 'ok', resolved: true, count: 5 },
      { path: '{inputs}', access: 'read', result: 'ENOENT', resolved: false, count: 1 },
    ]);
  });

  it('replaces paths of Unix sockets, and no other address', () => {
    const socket = { operation: 'bind', result: 'ok', count: 1 } as const;
    const sockets: SocketUse[] = [
      { ...socket, family: 'AF_UNIX', address: '/tmp/s' },
      { ...socket, family: 'AF_UNIX', address: '@/tmp/s' },
      { ...socket, family: 'AF_INET', address: '127.0.0.1:80' },
    ];
    const changed = toVariables(recordingOf([], { sockets }), places).sockets;
    expect(changed?.map(({ address }) => address)).toEqual(['{temporary}/s', '@/tmp/s', '127.0.0.1:80']);
  });

  it('leaves a recording without files as it is', () => {
    const { files: _files, ...without } = recordingOf([]);
    expect(toVariables(without, places)).toEqual(without);
  });

  it.each(['/', 'in', '/in/', '/in/../etc', ''])('refuses "%s" for a place', (path) => {
    const broken = { inputs: [], outputs: [path], temporary: [] };
    expect(() => toVariables(recordingOf([]), broken)).toThrow(expect.objectContaining({ code: 'BAD_PLACE' }));
  });
});
