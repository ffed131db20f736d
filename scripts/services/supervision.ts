/** When a program that ended is started again, and what `npm run status` says about it. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** A program that ran for this long had started well: the next pause is the first one again. */
const STEADY_MS = 60_000;

const supervisionSchema = z.object({
  /** How often the program was started again. */
  restarts: z.int().min(0),
  /** Ends in a row, each within a minute of its start. */
  earlyEnds: z.int().min(0),
  /** Absent until it has ended for the first time. */
  lastEnd: z.object({ at: z.string(), how: z.string() }).optional(),
  /** While it does not run: when it is started again. */
  nextStartAt: z.string().optional(),
});
export type Supervision = z.infer<typeof supervisionSchema>;

export const NEVER_ENDED: Supervision = { restarts: 0, earlyEnds: 0 };

/** After an end: one second, then twice as long each time, a minute at most. It is never given up. */
export function afterEnd(
  before: Supervision,
  end: { readonly atMs: number; readonly ranMs: number; readonly how: string },
): { readonly after: Supervision; readonly pauseMs: number } {
  const earlyEnds = end.ranMs >= STEADY_MS ? 1 : before.earlyEnds + 1;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (earlyEnds - 1), LONGEST_PAUSE_MS);
  return {
    pauseMs,
    after: {
      restarts: before.restarts + 1,
      earlyEnds,
      lastEnd: { at: new Date(end.atMs).toISOString(), how: end.how },
      nextStartAt: new Date(end.atMs + pauseMs).toISOString(),
    },
  };
}

/** Started again: nothing is waited for any more. */
export function afterStart({ restarts, earlyEnds, lastEnd }: Supervision): Supervision {
  return { restarts, earlyEnds, ...(lastEnd && { lastEnd }) };
}

/** Empty where the program has never ended. */
export function describeSupervision({ restarts, lastEnd, nextStartAt }: Supervision): string {
  if (!lastEnd) return '';
  const end = `${lastEnd.how} at ${lastEnd.at}`;
  return nextStartAt === undefined
    ? `started again ${restarts} ${restarts === 1 ? 'time' : 'times'}, last after ${end}`
    : `does not run: it ended ${restarts} ${restarts === 1 ? 'time' : 'times'}, last ${end}; the next start is at ${nextStartAt}`;
}

export function readSupervision(path: string): Supervision {
  try {
    return parseSupervision(readFileSync(path, 'utf8'));
  } catch {
    return NEVER_ENDED;
  }
}

/** Text that is none reads as that of a program that has never ended. */
export function parseSupervision(text: string): Supervision {
  try {
    return supervisionSchema.parse(JSON.parse(text));
  } catch {
    return NEVER_ENDED;
  }
}

export function writeSupervision(path: string, supervision: Supervision): void {
  writeFileSync(`${path}.new`, JSON.stringify(supervision), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function forgetSupervision(path: string): void {
  rmSync(path, { force: true });
}
