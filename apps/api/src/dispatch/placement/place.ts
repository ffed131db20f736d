/**
 * Chooses nodes for jobs, in the order of the jobs: a pure function of what nodes have, what runs there and what was placed
 * there before.
 * - A job goes where it can start at once; of several such nodes, to the one that is used least.
 * - Where jobs end quickly, one more a slot is sent ahead, so that no slot stands idle between two jobs. Everywhere else jobs
 *   wait in Postgres, and the next free slot of any node takes the first of them.
 * - A job that fits nowhere yet lets others pass. After a time it reserves a node, which then takes nothing else.
 */
import { KINDS, Room, type Share } from './room.js';

export interface Candidate extends Share {
  readonly jobId: string;
  readonly architecture: string;
  /** Where it was before: any other node is preferred. */
  readonly lastNodeId: string | null;
  /** The node that has staged its outputs and is to put them in place; null where any may. */
  readonly boundNodeId: string | null;
  /** It waits so long that a node may be reserved for it. */
  readonly overdue: boolean;
}

export interface Placement {
  readonly jobId: string;
  readonly nodeId: string;
}

/** Changes the rooms. Of each architecture, at most one job reserves a node. */
export function place(candidates: readonly Candidate[], rooms: readonly Room[]): Placement[] {
  const placements: Placement[] = [];
  for (const job of candidates) {
    const able = rooms.filter((room) => room.couldRun(job) && (job.boundNodeId ?? room.node.id) === room.node.id);
    const starting = able.filter((room) => room.startsNow(job));
    const room = best(starting.length > 0 ? starting : able.filter((one) => one.mayWait(job)), job);
    if (room) {
      room.take(job);
      placements.push({ jobId: job.jobId, nodeId: room.node.id });
    } else if (job.overdue && able.length > 0 && !reservedFor(job, rooms)) {
      // Nothing more comes to it, so that it stays the one used least until it is free.
      const next = best(able, job);
      if (next) next.reserved = true;
    }
  }
  return placements;
}

/** What of the share no single one of the nodes has; undefined where one has room for all of it. */
export function lackingEverywhere(share: Share, nodes: readonly Share[]): keyof Share | undefined {
  if (nodes.some((node) => KINDS.every((kind) => share[kind] <= node[kind]))) return undefined;
  // Where each of them is somewhere, and no node has them together, the largest nodes lack it.
  return (
    KINDS.find((kind) => nodes.every((node) => share[kind] > node[kind])) ??
    KINDS.find((kind) => nodes.some((node) => share[kind] > node[kind]))
  );
}

function reservedFor(job: Candidate, rooms: readonly Room[]): boolean {
  return rooms.some((room) => room.reserved && room.node.architecture === job.architecture);
}

/** No suspect node and not the last one, where there is another; then the one that is used least. */
function best(rooms: readonly Room[], job: Candidate): Room | undefined {
  const rank = (room: Room) => (room.node.suspect ? 2 : 0) + (room.node.id === job.lastNodeId ? 1 : 0);
  return rooms.toSorted((a, b) => rank(a) - rank(b) || a.use() - b.use() || (a.node.id < b.node.id ? -1 : 1))[0];
}
