/** What a profile's file rules and limits grant and refuse that those of the version before did not. */
import { visible } from '../kernel/visible-text.js';
import { type FileRight, type FileRule, type LandlockStatus } from '../model/files.js';
import { type Profile } from '../model/profile.js';
import { isAtOrBelow } from './paths.js';
import { byPath, isGiven, rightsAt } from './rights.js';

/** At a path, and so below it. */
export interface ChangedRights {
  /** Here, as in all of the diff, what does not show is written out. */
  readonly path: string;
  /** In the order of FILE_RIGHTS; those gained where it is about more, those lost where it is about less. */
  readonly rights: readonly FileRight[];
}

export interface FilesDiff {
  /** False: that version leaves files to the container alone, and every rule of the other one takes away. */
  readonly restrictedBefore: boolean;
  readonly restrictedNow: boolean;
  /** Where nothing was granted before. `replaces`: paths of earlier rules that this tree took in. */
  readonly added: readonly (FileRule & { readonly replaces: readonly string[] })[];
  /** Where nothing is granted any more. */
  readonly removed: readonly FileRule[];
  readonly widened: readonly ChangedRights[];
  readonly narrowed: readonly ChangedRights[];
}

export interface LimitChange<T> {
  /** Null: no limit, or no minimum. */
  readonly before: T | null;
  readonly now: T | null;
}

export interface FileMembersDiff {
  /** Null where neither version speaks of files, as `pids` and `landlockMinimum` are where nothing changed. */
  readonly files: FilesDiff | null;
  readonly pids: LimitChange<number> | null;
  readonly landlockMinimum: LimitChange<LandlockStatus> | null;
}

/** The first version of a build follows on one that says nothing. */
export function diffFileMembers(profile: Profile, previous: Profile | null): FileMembersDiff {
  return {
    files: profile.files || previous?.files ? diffFiles(previous?.files, profile.files) : null,
    pids: change(previous?.pids, profile.pids),
    landlockMinimum: change(previous?.landlockMinimum, profile.landlockMinimum),
  };
}

/** By what rules grant, not by how they are written: a file whose directory became a tree was not removed. */
export function diffFiles(before: readonly FileRule[] | undefined, now: readonly FileRule[] | undefined): FilesDiff {
  const old = before ?? [];
  const fresh = now ?? [];
  const [oldRights, freshRights] = [byPath(old), byPath(fresh)];
  const paths = [...new Set([...oldRights.keys(), ...freshRights.keys()])].sort();
  const changes = paths.map((path) => {
    const [was, is] = [rightsAt(oldRights, path), rightsAt(freshRights, path)];
    return { path, was, is, gained: without(is, was), lost: without(was, is) };
  });
  const ruled = changes.filter(({ path }) => freshRights.has(path));
  const wasRuled = changes.filter(({ path }) => oldRights.has(path));
  return {
    restrictedBefore: before !== undefined,
    restrictedNow: now !== undefined,
    added: ruled
      .filter(({ was }) => was.length === 0)
      .map(({ path, is }) => ({
        path: visible(path),
        rights: is,
        replaces: old.flatMap((rule) => takenIn(rule, path, freshRights)),
      })),
    removed: wasRuled
      .filter(({ is }) => is.length === 0)
      .map(({ path, was }) => ({ path: visible(path), rights: was })),
    widened: ruled
      .filter(({ was, gained }) => was.length > 0 && gained.length > 0)
      .map(({ path, gained }) => ({ path: visible(path), rights: gained })),
    narrowed: wasRuled
      .filter(({ is, lost }) => is.length > 0 && lost.length > 0)
      .map(({ path, lost }) => ({ path: visible(path), rights: lost })),
  };
}

function takenIn({ path }: FileRule, tree: string, rules: ReadonlyMap<string, unknown>): string[] {
  return path !== tree && isAtOrBelow(path, tree) && !rules.has(path) ? [visible(path)] : [];
}

function without(rights: readonly FileRight[], others: readonly FileRight[]): readonly FileRight[] {
  return rights.filter((right) => !isGiven(others, right));
}

function change<T>(before: T | undefined, now: T | undefined): LimitChange<T> | null {
  return before === now ? null : { before: before ?? null, now: now ?? null };
}
