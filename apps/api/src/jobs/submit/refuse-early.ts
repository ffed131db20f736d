/** Refuses a job at its submission where it is certain that no worker will run it, whichever build it turns out to be. */
import { type Application } from '#lib/database';
import { type Monitoring, selectLevel, type SelectionInput } from '#lib/profiles';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { type HeldTo } from '../../facts/submission-facts.js';
import { type JobRequest } from './job-schema.js';

/**
 * The monitoring that a node must offer, as far as it is known by now; null where any node will do. Throws profile-required, level-not-allowed, audit-needs-profile, level-impossible
 * and monitoring-unavailable.
 */
export function refuseEarly(
  { approved: approvedOf, offeredMonitorings }: HeldTo,
  caller: Caller,
  request: Required<Pick<JobRequest, 'architecture'>> & Pick<JobRequest, 'enforcement' | 'monitoring'>,
  application: Application,
): Monitoring | null {
  const approved = approvedOf.get(application.id) ?? null;
  const input: Omit<SelectionInput, 'approved'> = {
    policy: application.policy,
    onNewBuild: approved && application.onNewBuild,
    requested: request,
    role: caller.role,
    calibration: false,
    offeredMonitorings,
  };
  // The build is not known yet: it may be one without an approved profile, or any of those with one.
  const selections = [null, ...(approved ? [approved] : [])].map((each) => selectLevel({ ...input, approved: each }));
  const refusals = selections.flatMap((selection) => (selection.kind === 'refuse' ? [selection] : []));
  // That under an approved profile, where there is one, says more than that there may be none.
  const refusal = refusals.at(-1);
  if (refusal && refusals.length === selections.length) {
    throw PorinError.of(refusal.code, { detail: refusal.message });
  }
  const likely = selections.at(-1);
  return likely?.kind === 'run' && likely.level.monitoring !== 'none' ? likely.level.monitoring : null;
}
