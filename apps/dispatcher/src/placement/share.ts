/** What a job takes of a node, or a node has. */
export interface Share {
  /** Thousandths of a core. */
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}
export const KINDS = ['cpuMilli', 'memoryBytes', 'diskBytes'] as const satisfies readonly (keyof Share)[];

export const NOTHING: Share = { cpuMilli: 0, memoryBytes: 0, diskBytes: 0 };

export function fits(share: Share, room: Share): boolean {
  return KINDS.every((kind) => share[kind] <= room[kind]);
}

export function sum(a: Share, b: Share): Share {
  return ofEach((kind) => a[kind] + b[kind]);
}

export function minus(a: Share, b: Share): Share {
  return ofEach((kind) => a[kind] - b[kind]);
}

function ofEach(amount: (kind: keyof Share) => number): Share {
  return { cpuMilli: amount('cpuMilli'), memoryBytes: amount('memoryBytes'), diskBytes: amount('diskBytes') };
}

/** What of the share no single one of the nodes has; undefined where one has room for all of it. */
export function lackingEverywhere(share: Share, nodes: readonly Share[]): keyof Share | undefined {
  if (nodes.some((node) => fits(share, node))) return undefined;
  // Where each of them is somewhere, and no node has them together, the largest nodes lack it.
  return (
    KINDS.find((kind) => nodes.every((node) => share[kind] > node[kind])) ??
    KINDS.find((kind) => nodes.some((node) => share[kind] > node[kind]))
  );
}
