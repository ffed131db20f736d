/** Where a process' cgroup is: the directory whose inode BPF programs know it by. */
import { join } from 'node:path';

/**
 * In the version 2 hierarchy, on hybrid hosts too, from /proc/self/mountinfo and /proc/<pid>/cgroup (cgroups(7)).
 * @throws Error where there is none
 */
export function cgroupPath(mountinfo: string, cgroup: string): string {
  const mount = mountinfo
    .split('\n')
    .find((line) => line.split(' - ')[1]?.startsWith('cgroup2 '))
    ?.split(' ')[4];
  const path = /^0::(\/.*)$/m.exec(cgroup)?.[1];
  if (mount === undefined || path === undefined) throw new Error('there is no cgroup of version 2');
  return join(mount, path);
}
