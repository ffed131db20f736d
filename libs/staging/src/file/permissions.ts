/** Owner, group and mode of published files: never more than those of the file that is replaced. */
import { type Stats } from 'node:fs';
import { chmod, chown, lstat } from 'node:fs/promises';
import { isMissing } from '../failure.js';
import { type OutputPermissions } from '../outputs/output-target.js';

/** Set-user-id, set-group-id and the sticky bit are no output's. */
const PERMISSION_BITS = 0o777;
const OWNER_ONLY = 0o600;

/** The permissions of the regular file at the path, or null if there is none. A link is replaced itself and has none. */
export async function permissionsOf(path: string): Promise<OutputPermissions | null> {
  let stats: Stats;
  try {
    stats = await lstat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return stats.isFile() ? { uid: stats.uid, gid: stats.gid, mode: stats.mode & PERMISSION_BITS } : null;
}

/** The node's, with the payload's execute bits for whoever may read. */
export function newPermissions(settings: OutputPermissions, payloadMode: number): OutputPermissions {
  const executable = payloadMode & 0o111 & ((settings.mode & 0o444) >> 2);
  return { ...settings, mode: (settings.mode | executable) & PERMISSION_BITS };
}

/** `path` names what is open, through its descriptor. At no time it is wider than at the end, or than the owner's alone. */
export async function giveTo(path: string, permissions: OutputPermissions): Promise<void> {
  const { uid, gid, mode } = permissions;
  await chmod(path, mode & OWNER_ONLY);
  if (uid !== null || gid !== null) await chown(path, uid ?? -1, gid ?? -1);
  await chmod(path, mode & PERMISSION_BITS);
}
