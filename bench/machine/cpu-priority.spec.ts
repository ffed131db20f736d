import { describe, expect, it } from 'vitest';
import { weightFile } from './cpu-priority.js';

const V2 = '35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n';
const HYBRID = [
  '30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct',
  '31 24 0:27 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset',
  '32 24 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw',
].join('\n');

describe('weightFile', () => {
  it('is cpu.shares where the cpu controller is of version 1, on hybrid hosts too', () => {
    expect(weightFile(HYBRID)).toEqual({
      file: '/sys/fs/cgroup/cpu,cpuacct/porin.slice/cpu.shares',
      highest: '262144',
      usual: '1024',
    });
  });

  it('is cpu.weight on unified hosts', () => {
    expect(weightFile(V2)).toEqual({ file: '/sys/fs/cgroup/porin.slice/cpu.weight', highest: '10000', usual: '100' });
  });

  it('refuses a host without cgroups', () => {
    expect(() => weightFile('22 1 254:0 / / rw - ext4 /dev/vda rw\n')).toThrow(/no cgroup/);
  });
});
