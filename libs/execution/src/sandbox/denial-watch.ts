/** Decides which denials end the payload while it runs: a dangerous call, and a storm of refused ones. */
import { denialClass } from '#lib/profiles';
import { type ListedDenial } from '../denial-list.js';
import { type DenialStopReason, type DenialStops } from '../executor-run.js';
import { type DenialHandlers } from './denial-ledger.js';
import { StormWatch } from './storm-watch.js';

/** `stop` may be called more than once. Only what porin-init reports is seen: quiet refusals and what an audit finds are not. */
export function watchDenials(
  { dangerous, storm }: DenialStops,
  stop: (reason: DenialStopReason, cause: ListedDenial) => void,
): DenialHandlers {
  const watch = storm && new StormWatch(storm);
  return {
    onDenial: (denial) => {
      if (dangerous && denialClass(denial.counted) === 'dangerous') stop('dangerous-call', denial);
    },
    onTally: (soFar) => {
      const cause = watch?.take(soFar);
      if (cause) stop('denial-storm', cause);
    },
  };
}
