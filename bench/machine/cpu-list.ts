/** CPU numbers in the kernel's list format (cpuset(7), "Formats"): "0-2,5". */

export function parseCpuList(text: string): readonly number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = NaN, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_cpu, index) => first + index);
    });
}

export interface CpuShares {
  /** The one that the payloads have to themselves. */
  readonly payload: number;
  /** The bench, the engine and strace: all others; the same one on a machine that has no other. */
  readonly rest: readonly number[];
}

/** The last for the payload: the first takes most interrupts. */
export function shareCpus(allowed: readonly number[]): CpuShares {
  const payload = allowed.at(-1) ?? 0;
  const others = allowed.slice(0, -1);
  return { payload, rest: others.length > 0 ? others : [payload] };
}
