/** How busy the machine's processors are, from /proc/stat. */

interface Ticks {
  readonly busy: number;
  readonly all: number;
}

/** Share of all processors' time between two readings of /proc/stat that was not idle, 0 to 1. */
export function busyShare(before: string, after: string): number {
  const [start, end] = [totalTicks(before), totalTicks(after)];
  return end.all === start.all ? 0 : (end.busy - start.busy) / (end.all - start.all);
}

/** The line "cpu user nice system idle iowait irq softirq steal ..." (proc(5)); guest times are in user already. */
function totalTicks(stat: string): Ticks {
  const fields = stat.split('\n', 1)[0]?.trim().split(/ +/).slice(1, 9).map(Number) ?? [];
  const all = fields.reduce((sum, ticks) => sum + ticks, 0);
  return { all, busy: all - (fields[3] ?? 0) - (fields[4] ?? 0) };
}
