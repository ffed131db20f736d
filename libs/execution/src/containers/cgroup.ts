/** Finds a process's cgroups on v1, hybrid and unified hosts, and reads from them which limits were hit. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LimitHits } from '../executor-run.js';

export type CgroupLayout = 'v1' | 'hybrid' | 'v2';
type Controller = 'pids' | 'memory';

interface CgroupMount {
  readonly version: 1 | 2;
  /** Of v1: the controllers mounted here. */
  readonly controllers: readonly string[];
  /** The cgroup that is mounted, and where. */
  readonly root: string;
  readonly point: string;
}

/** proc(5), /proc/pid/mountinfo. */
function cgroupMounts(mountinfo: string): CgroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [mount = '', source = ''] = line.split(' - ');
    const [type, , options = ''] = source.split(' ');
    const [, , , root = '', point = ''] = mount.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    return [{ version: type === 'cgroup' ? 1 : 2, controllers: options.split(','), root, point }];
  });
}

export function cgroupLayout(mountinfo: string): CgroupLayout {
  const versions = new Set(cgroupMounts(mountinfo).map(({ version }) => version));
  if (!versions.has(1)) return 'v2';
  return versions.has(2) ? 'hybrid' : 'v1';
}

/**
 * Directory of the cgroup that holds a process for a controller: where v1 has the controller, v2 does not.
 *
 * @param membership /proc/<pid>/cgroup, cgroups(7)
 */
export function cgroupDirectory(controller: Controller, mountinfo: string, membership: string): string | undefined {
  const mounts = cgroupMounts(mountinfo);
  const v1 = mounts.find(({ version, controllers }) => version === 1 && controllers.includes(controller));
  const mount = v1 ?? mounts.find(({ version }) => version === 2);
  const line = membership.split('\n').find((entry) => {
    const [, names = ''] = entry.split(':');
    return v1 ? names.split(',').includes(controller) : entry.startsWith('0::');
  });
  const path = line?.split(':').slice(2).join(':');
  if (!mount || path === undefined || path.startsWith('/..')) return undefined;
  const root = mount.root === '/' ? '' : mount.root;
  return path === root || path.startsWith(`${root}/`) ? join(mount.point, path.slice(root.length)) : undefined;
}

/** The value of `<key> <number>` in a cgroup's event file. */
export function eventCount(text: string, key: string): number | undefined {
  const value = new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** Undefined where this host does not tell. To be asked while a process of the container lives: the cgroup goes with it. */
export async function readLimitHits(pid: number): Promise<LimitHits | undefined> {
  try {
    const [mountinfo, membership] = await Promise.all([
      readFile('/proc/self/mountinfo', 'utf8'),
      readFile(`/proc/${pid}/cgroup`, 'utf8'),
    ]);
    const [pids, memory] = (['pids', 'memory'] as const).map((name) => cgroupDirectory(name, mountinfo, membership));
    if (pids === undefined || memory === undefined) return undefined;
    const refusedForks = eventCount(await readFile(join(pids, 'pids.events'), 'utf8'), 'max');
    // The names of v2 and of v1.
    const memoryEvents = await readFile(join(memory, 'memory.events'), 'utf8').catch(() =>
      readFile(join(memory, 'memory.oom_control'), 'utf8'),
    );
    const oomKills = eventCount(memoryEvents, 'oom_kill');
    return refusedForks === undefined || oomKills === undefined ? undefined : { refusedForks, oomKills };
  } catch {
    return undefined;
  }
}
