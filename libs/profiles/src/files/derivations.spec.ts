import { describe, expect, it } from 'vitest';
import { type SocketUse } from '../model/recording.js';
import { derivations } from './derivations.js';
import { keptFiles } from './kept-files.js';
import { EDF_PLACES, edfUses, recordingOf } from './recordings.fixture.js';
import { toVariables } from './to-variables.js';

const socket = (operation: SocketUse['operation'], family: string, address: string, result = 'ok'): SocketUse => ({
  operation,
  family,
  address,
  result,
  count: 1,
});
const withSockets = (...sockets: SocketUse[]) => recordingOf([], { sockets });

describe('derivations', () => {
  it('say that no network is needed, and from how many recordings they know', () => {
    const quiet = withSockets(
      socket('connect', 'AF_UNIX', '/run/nscd/socket', 'ENOENT'),
      socket('send', 'AF_INET', '127.0.0.1:9'),
      socket('connect', 'AF_INET6', '[::1]:80', 'ECONNREFUSED'),
      socket('bind', 'AF_INET', '0.0.0.0:0'),
    );
    const { recordings, network } = derivations([quiet, withSockets(), quiet]);
    expect(recordings).toBe(3);
    expect(network).toEqual({
      needed: false,
      evidence: 'nothing was connected to outside of the container in 3 recordings',
      attempts: [],
    });
  });

  it('name what was tried, with its failure, and in how many recordings', () => {
    const tried = socket('connect', 'AF_INET', '10.0.0.1:80', 'ENETUNREACH');
    const { network } = derivations([
      withSockets(tried, tried, socket('send', 'AF_INET6', '[fe80::1]:53')),
      withSockets(tried),
      withSockets(),
    ]);
    expect(network?.needed).toBe(true);
    expect(network?.attempts).toEqual(['connect 10.0.0.1:80 (ENETUNREACH) in 2 of 3', 'send [fe80::1]:53 in 1 of 3']);
  });

  it('propose a limit of processes from the most that were seen', () => {
    const { pids } = derivations([recordingOf([], { peakTasks: 3 }), recordingOf([], { peakTasks: 12 })]);
    expect(pids).toEqual({ peak: 12, proposed: 32 });
  });

  it('say nothing from recordings of names alone', () => {
    const { files: _files, ...names } = recordingOf([]);
    const nothing = { recordings: 0, network: null, pids: null, keptFiles: null, beyondRules: [] };
    expect(derivations([names])).toEqual(nothing);
    expect(derivations([])).toEqual(nothing);
  });

  it('name what no rule can say', () => {
    const forked = recordingOf(['write /proc/12/comm', 'read /proc/12/comm'], { calls: { fork: 1 } });
    expect(derivations([forked]).beyondRules).toEqual(['write /proc/12/comm']);
    const deep = `/srv${'/a'.repeat(100)}`;
    expect(derivations([recordingOf([`read ${deep}`])]).beyondRules).toEqual([`read ${deep}`]);
  });
});

describe('keptFiles', () => {
  const recording = toVariables(recordingOf(edfUses()), EDF_PLACES);

  it("are the image's files that were used with success, those of the job and of the kernel left out", () => {
    const kept = keptFiles([recording]);
    expect(kept).toContain('/usr/bin/python3.11');
    expect(kept).toContain('/usr/lib/x86_64-linux-gnu/libc.so.6');
    expect(kept).toContain('/usr/local/lib/python3.11/dist-packages');
    expect(kept).not.toContain('/etc/localtime');
    expect(kept.filter((path) => !/^\/(?:etc|opt|usr)\//.test(path))).toEqual([]);
    expect(kept).toEqual([...new Set(kept)].sort());
    const { keptFiles: summary } = derivations([recording]);
    expect(summary).toEqual({ count: kept.length, sample: kept.slice(0, 20) });
  });

  it('are none that the payload made or only renamed', () => {
    const uses = ['create /srv/a', 'read /srv/a', 'rename-to /srv/b', 'read /srv/b', 'remove /srv/c', 'read /srv/d'];
    expect(keptFiles([recordingOf([...uses, 'read /proc/cpuinfo', 'write /dev/tty', 'list /sys/class'])])).toEqual([
      '/srv/d',
    ]);
  });
});
