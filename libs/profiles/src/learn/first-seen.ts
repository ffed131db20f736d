/** Which run brought each call of a profile: the oldest one whose recording has it. */
import { type CallOrigin, type Origin, type Origins } from '../model/origins.js';
import { type Recording } from '../model/recording.js';

/** The calls that were made, and those that a filter answered, sorted. */
export function recordedNames({ calls, refused = {} }: Pick<Recording, 'calls' | 'refused'>): readonly string[] {
  const made = Object.keys(calls).filter((name) => (calls[name] ?? 0) > 0);
  return [...new Set([...made, ...Object.keys(refused)])].sort();
}

/** Call -> executor run. `runs`: oldest first. */
export function firstSeenIn(
  runs: readonly { readonly executorRunId: string; readonly recording: Pick<Recording, 'calls' | 'refused'> }[],
): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  for (const { executorRunId, recording } of runs) {
    for (const name of recordedNames(recording)) if (!first.has(name)) first.set(name, executorRunId);
  }
  return first;
}

/**
 * `before`: of the version that the profile is based on, whose recordings may be older than any that there are now.
 * `broughtAs`: how a run came to bring a call, `seen` by default.
 */
export function withRuns(
  origins: Origins,
  firstSeen: ReadonlyMap<string, string>,
  before: Origins = {},
  broughtAs: (run: string) => Origin = () => 'seen',
): Origins {
  return Object.fromEntries(
    Object.entries(origins).map(([name, origin]) => {
      const known = before[name];
      const run = known?.run ?? firstSeen.get(name);
      if (run === undefined) return [name, origin];
      return [name, { ...origin, ...(origin.origin === 'seen' && { origin: reasonOf(known, broughtAs(run)) }), run }];
    }),
  );
}

/** `now`: the origin by the first run that has the call. An audit does not bring calls that the version has already. */
function reasonOf(known: CallOrigin | undefined, now: Origin): Origin {
  if (known === undefined || (now === 'denied' && known.run === undefined)) return now;
  return known.origin === 'audit' || known.origin === 'denied' ? known.origin : 'seen';
}
