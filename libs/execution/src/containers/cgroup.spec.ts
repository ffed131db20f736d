import { describe, expect, it } from 'vitest';
import { cgroupDirectory, cgroupLayout, eventCount } from './cgroup.js';

const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
const HYBRID = [
  '30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
  '31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw',
  '32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
  '33 30 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
  '34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
].join('\n');
const HYBRID_MEMBER = '9:memory:/porin.slice/abc\n8:pids:/porin.slice/abc\n1:name=systemd:/x\n0::/porin.slice/abc\n';

describe('the layout', () => {
  it.each([
    ['v2', V2],
    ['hybrid', HYBRID],
    ['v1', HYBRID.replace(/^.*cgroup2.*\n/m, '')],
  ])('is %s', (layout, mountinfo) => {
    expect(cgroupLayout(mountinfo)).toBe(layout);
  });
});

describe('the directory of a process’s cgroup', () => {
  it('is below the one mount of a unified host', () => {
    expect(cgroupDirectory('pids', V2, '0::/porin.slice/docker-abc.scope\n')).toBe(
      '/sys/fs/cgroup/porin.slice/docker-abc.scope',
    );
  });

  it('is that of the controller where the controller is of v1', () => {
    expect(cgroupDirectory('pids', HYBRID, HYBRID_MEMBER)).toBe('/sys/fs/cgroup/pids/porin.slice/abc');
    expect(cgroupDirectory('memory', HYBRID, HYBRID_MEMBER)).toBe('/sys/fs/cgroup/memory/porin.slice/abc');
  });

  it('is relative to what is mounted', () => {
    const inner = V2.replace(' / ', ' /outer ');
    expect(cgroupDirectory('pids', inner, '0::/outer/a:b\n')).toBe('/sys/fs/cgroup/a:b');
    expect(cgroupDirectory('pids', inner, '0::/outermost/a\n')).toBeUndefined();
  });

  it('is unknown outside the namespace, without a mount and without a line', () => {
    expect(cgroupDirectory('pids', V2, '0::/../other\n')).toBeUndefined();
    expect(cgroupDirectory('pids', '', HYBRID_MEMBER)).toBeUndefined();
    expect(cgroupDirectory('pids', HYBRID, '0::/a\n')).toBeUndefined();
  });
});

describe('a count of events', () => {
  it.each([
    ['max 12\n', 'max', 12],
    ['low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\n', 'oom_kill', 2],
    ['oom_kill_disable 0\nunder_oom 0\noom_kill 7\n', 'oom_kill', 7],
    ['oom_kill_disable 0\n', 'oom_kill', undefined],
  ])('is read from %j', (text, key, count) => {
    expect(eventCount(text, key)).toBe(count);
  });
});
