/** Finds what lies above a place in as many steps as the place has parts, however many prefixes there are. */

export interface PrefixTree {
  readonly below: Map<string, PrefixTree>;
  isPrefix: boolean;
}

export function prefixTree(prefixes: readonly (readonly string[])[]): PrefixTree {
  const root: PrefixTree = { below: new Map(), isPrefix: false };
  for (const parts of prefixes) {
    let tree = root;
    for (const part of parts) {
      const next = tree.below.get(part) ?? { below: new Map(), isPrefix: false };
      tree.below.set(part, next);
      tree = next;
    }
    tree.isPrefix = true;
  }
  return root;
}

/** Whether the parts are a prefix, or begin with one. */
export function isBelow(parts: readonly string[], root: PrefixTree): boolean {
  let tree = root;
  for (const part of parts) {
    const next = tree.below.get(part);
    if (tree.isPrefix || next === undefined) return tree.isPrefix;
    tree = next;
  }
  return tree.isPrefix;
}
