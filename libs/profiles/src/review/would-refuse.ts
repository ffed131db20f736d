/** What a profile would have refused of runs that are over, from their recordings. */
import { departures } from '../audit/departures.js';
import { CALL_CLASSES, callClass, type CallClass } from '../kernel/families.js';
import { type Profile } from '../model/profile.js';
import { type Recording } from '../model/recording.js';

export interface WouldRefuse {
  /** Runs in which something would have been refused. */
  readonly runs: number;
  readonly of: number;
  /** Dangerous first; "file" for what Landlock would have refused. `runs`: that made it. */
  readonly calls: readonly { readonly call: string; readonly class: CallClass; readonly runs: number }[];
}

/** `recordings`: complete ones, with variables put into them. */
export function wouldRefuse(recordings: readonly Recording[], profile: Profile): WouldRefuse {
  const refused = recordings.map((recording) => {
    const found = departures(recording, profile);
    return new Set(found.map((departure) => (departure.kind === 'file' ? 'file' : departure.call)));
  });
  const runs = new Map<string, number>();
  for (const call of refused.flatMap((calls) => [...calls])) runs.set(call, (runs.get(call) ?? 0) + 1);
  const calls = [...runs].map(([call, count]) => ({
    call,
    class: call === 'file' ? ('authority' as const) : callClass(call),
    runs: count,
  }));
  return {
    runs: refused.filter(({ size }) => size > 0).length,
    of: recordings.length,
    calls: calls.sort(
      (a, b) =>
        CALL_CLASSES.indexOf(b.class) - CALL_CLASSES.indexOf(a.class) || b.runs - a.runs || (a.call < b.call ? -1 : 1),
    ),
  };
}
