/** Owner, group and mode of published files: never more than those of the file that is replaced. */
import { type BigIntStats } from 'node:fs';
import { chmod, chown, lstat } from 'node:fs/promises';
import { isMissing } from '../failure.js';
import { type OutputPermissions } from '../outputs/output-target.js';

/** Set-user-id, set-group-id and the sticky bit are no output's. */
const PERMISSION_BITS = 0o777;
const OWNER_ONLY = 0o600;
/** Of a directory: what is made in it has its group. */
export const SET_GROUP_ID = 0o2000;

/** The regular file at the path, or null if there is none. A link is replaced itself and hands nothing down. */
export async function presentFile(path: string): Promise<BigIntStats | null> {
  let stats: BigIntStats;
  try {
    stats = await lstat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  return stats.isFile() ? stats : null;
}

export function permissionsOf({ uid, gid, mode }: BigIntStats): OutputPermissions {
  return { uid: Number(uid), gid: Number(gid), mode: Number(mode) & PERMISSION_BITS };
}

export function havePermissions(stats: BigIntStats, { uid, gid, mode }: OutputPermissions): boolean {
  const now = permissionsOf(stats);
  return now.uid === uid && now.gid === gid && now.mode === mode;
}

/** The node's, with the payload's execute bits for whoever may read. */
export function newPermissions(settings: OutputPermissions, payloadMode: number): OutputPermissions {
  const executable = payloadMode & 0o111 & ((settings.mode & 0o444) >> 2);
  return { ...settings, mode: (settings.mode | executable) & PERMISSION_BITS };
}

/**
 * `path` names what is open, through its descriptor. At no time it is wider than at the end, or than the owner's alone.
 * `kept`: bits beyond 0777 that stay.
 */
export async function giveTo(path: string, permissions: OutputPermissions, kept = 0): Promise<void> {
  const { uid, gid, mode } = permissions;
  await chmod(path, (mode & OWNER_ONLY) | kept);
  if (uid !== null || gid !== null) await chown(path, uid ?? -1, gid ?? -1);
  await chmod(path, (mode & PERMISSION_BITS) | kept);
}
