/** Whether the uids of a node's slots belong to somebody already. */

export interface UserIdFiles {
  /** Contents; empty where the node has no such file. */
  readonly subuid: string;
  readonly subgid: string;
  readonly passwd: string;
  readonly group: string;
}

/** The first and the last of them; a payload's gid is its uid. */
export interface UserIdRange {
  readonly first: number;
  readonly last: number;
}

interface Owned extends UserIdRange {
  readonly line: string;
}

/**
 * Names every line that gives ids of the range to somebody: `line 2 of /etc/subuid ("bob:165536:65536")`. Whoever has a
 * subordinate uid can act as it in a user namespace: he could read a payload's inputs and kill its processes.
 */
export function idsTaken(range: UserIdRange, files: UserIdFiles): readonly string[] {
  return [
    ...overlaps(range, '/etc/subuid', files.subuid, subordinate),
    ...overlaps(range, '/etc/subgid', files.subgid, subordinate),
    ...overlaps(range, '/etc/passwd', files.passwd, single),
    ...overlaps(range, '/etc/group', files.group, single),
  ];
}

function overlaps(
  { first, last }: UserIdRange,
  path: string,
  text: string,
  read: (line: string) => Owned | undefined,
): string[] {
  return text.split('\n').flatMap((line, index) => {
    const owned = read(line);
    if (!owned || owned.last < first || owned.first > last) return [];
    return [`line ${index + 1} of ${path} ("${owned.line}")`];
  });
}

/** `bob:165536:65536` (subuid(5)) */
function subordinate(line: string): Owned | undefined {
  const [, start, count] = /^[^:#]+:(\d+):(\d+)\s*$/.exec(line) ?? [];
  if (start === undefined || Number(count) < 1) return undefined;
  return { first: Number(start), last: Number(start) + Number(count) - 1, line: line.trim() };
}

/** `bob:x:1001:...`; only the name and the id are told on. */
function single(line: string): Owned | undefined {
  const [, name, id] = /^([^:#]+):[^:]*:(\d+):/.exec(line) ?? [];
  return name === undefined ? undefined : { first: Number(id), last: Number(id), line: `${name}:${id}` };
}
