import { describe, expect, it } from 'vitest';
import { cgroupPath } from './cgroup-path.js';

const HYBRID = [
  '31 24 0:27 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset',
  '32 24 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw',
].join('\n');

describe('cgroupPath', () => {
  it('is in the version 2 hierarchy, on hybrid hosts too', () => {
    const cgroup = '4:pids:/porin.slice/abc\n0::/porin.slice/abc\n';
    expect(cgroupPath(HYBRID, cgroup)).toBe('/sys/fs/cgroup/unified/porin.slice/abc');
  });

  it('is nowhere on a host of version 1 alone', () => {
    expect(() => cgroupPath(HYBRID, '4:pids:/porin.slice/abc\n')).toThrow(/version 2/);
    expect(() => cgroupPath('22 1 254:0 / / rw - ext4 /dev/vda rw\n', '0::/\n')).toThrow(/version 2/);
  });
});
