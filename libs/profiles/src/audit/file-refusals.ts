/** What Landlock refused in a run, as far as its recording shows it: Landlock itself reports nothing. */
import { ALWAYS_GRANTED } from '../files/always-granted.js';
import { isExpressible, isOneProcess, nameable, namedUses } from '../files/needs.js';
import { byPath, isGiven, neededFor, rightsAt } from '../files/rights.js';
import { type Profile } from '../model/profile.js';
import { type FileAccess, type Recording, type SocketUse } from '../model/recording.js';

export interface FileRefusal {
  /** For a socket the operation, and its address as the path. */
  readonly access: FileAccess | SocketUse['operation'];
  readonly path: string;
  readonly errno: 'EACCES' | 'EPERM';
  readonly count: number;
}

const OWN_DIRECTORY = /^\/proc\/self(?=\/|$)/;

/**
 * With variables already put into the recording, which was made under these rules. As recorded; empty without rules.
 *
 * Landlock answers EACCES, and EPERM to who connects to an abstract socket beyond its scope. A file's own permissions answer
 * EACCES too, and nothing tells the two apart: beyond the rules both count. EXDEV does not count: it is what a move between
 * two mounts gets, and Landlock gives it only within one that can be written to, which the rules grant as a whole.
 */
export function fileRefusals(recording: Recording, { files }: Pick<Profile, 'files'>): readonly FileRefusal[] {
  if (!files) return [];
  const rules = byPath([...files, ...ALWAYS_GRANTED]);
  // The rule on /proc/self is the first process' own: what another one asks of itself needs all of /proc.
  const isShared = !isOneProcess(recording);
  const refusedUses = namedUses(recording).filter((use) => {
    if (use.result !== 'EACCES') return false;
    if (!isExpressible(use)) return true;
    const { path, rights } = neededFor(use);
    const given = rightsAt(rules, nameable(isShared ? path.replace(OWN_DIRECTORY, '/proc') : path));
    return rights.some((right) => !isGiven(given, right));
  });
  const refusedSockets = (recording.sockets ?? []).filter(
    ({ result, family, address }) => result === 'EPERM' && family === 'AF_UNIX' && address.startsWith('@'),
  );
  return [
    ...refusedUses.map(({ access, path, count }) => ({ access, path, errno: 'EACCES' as const, count })),
    ...refusedSockets.map(({ operation, address, count }) => ({
      access: operation,
      path: address,
      errno: 'EPERM' as const,
      count,
    })),
  ];
}
