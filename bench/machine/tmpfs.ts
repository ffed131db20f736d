/** The memory file system that inputs are read from and outputs written to, so that no disk is measured. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Instance } from '../../scripts/services/instance.js';
import { unmountBelow } from '../../scripts/services/mounts.js';

const SIZE_MIB = 1024;

/** Below the instance's directory: stopping the stack takes it away too, after a crash as well. */
export class Tmpfs {
  private constructor(
    readonly path: string,
    readonly inMemory: boolean,
  ) {}

  /** A plain directory where mounting is not permitted. */
  static mount(instance: Instance): Tmpfs {
    const path = join(instance.directory, 'memory', 'tmpfs');
    unmountBelow(dirname(path));
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (process.getuid?.() !== 0) return new Tmpfs(path, false);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=0700,nosuid,nodev`, 'porin-bench', path]);
    return new Tmpfs(path, true);
  }

  unmount(): void {
    unmountBelow(dirname(this.path));
  }
}
