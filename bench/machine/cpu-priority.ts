/** Lets the payloads' cgroup win every contest for its core: others may be at work on the machine. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parent of all containers of Porin. */
const CGROUP = 'porin.slice';

interface Weight {
  /** Below a mount of the hierarchy that has the cpu controller. */
  readonly file: string;
  readonly highest: string;
  /** What a new cgroup has. */
  readonly usual: string;
}

/** Returns the function that takes the priority back; undefined where it cannot be given. */
export function raiseCpuPriority(): (() => void) | undefined {
  try {
    const { file, highest, usual } = weightFile(readFileSync('/proc/self/mountinfo', 'utf8'));
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, highest);
    return () => writeFileSync(file, usual);
  } catch {
    return undefined;
  }
}

/**
 * cpu.shares of cgroup v1 where the cpu controller is in a hierarchy of its own, else cpu.weight of v2.
 * @throws Error where there is neither
 */
export function weightFile(mountinfo: string): Weight {
  const mounts = mountinfo.split('\n').map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', , options = ''] = after.split(' ');
    return { path: before.split(' ')[4] ?? '', type, options: options.split(',') };
  });
  const v1 = mounts.find(({ type, options }) => type === 'cgroup' && options.includes('cpu'));
  if (v1) return { file: join(v1.path, CGROUP, 'cpu.shares'), highest: '262144', usual: '1024' };
  const v2 = mounts.find(({ type }) => type === 'cgroup2');
  if (v2) return { file: join(v2.path, CGROUP, 'cpu.weight'), highest: '10000', usual: '100' };
  throw new Error('there is no cgroup with the cpu controller');
}
