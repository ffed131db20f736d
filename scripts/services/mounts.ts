/** Undoes the mounts that a stopped or dead service leaves below a directory. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mountsBelow } from '#lib/execution';

/** Lazily, because a dying process may still be in one; before anything below is removed. */
export function unmountBelow(directory: string): void {
  const mounts = mountsBelow(directory, readFileSync('/proc/self/mountinfo', 'utf8'));
  for (const path of mounts) execFileSync('umount', ['--lazy', path]);
}
