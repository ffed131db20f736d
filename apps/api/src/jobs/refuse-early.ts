/** Refuses a job at its submission where it is certain that no worker will run it, whichever build it turns out to be. */
import { type Application, NodeRow, ProfileVersion } from '#lib/database';
import { auditKind, type Monitoring, MONITORINGS, parseProfile, selectLevel, type SelectionInput } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { type JobRequest } from './job-schema.js';

/**
 * The monitoring that a node must offer, as far as it is known by now; null where any node will do. Throws profile-required, level-not-allowed, audit-needs-profile, level-impossible
 * and monitoring-unavailable.
 */
export async function refuseEarly(
  manager: EntityManager,
  caller: Caller,
  request: Required<Pick<JobRequest, 'architecture'>> & Pick<JobRequest, 'enforcement' | 'monitoring'>,
  application: Application,
): Promise<Monitoring | null> {
  const { architecture } = request;
  const approved = await anyApproved(manager, application.id, architecture);
  const input: Omit<SelectionInput, 'approved'> = {
    policy: application.policy,
    onNewBuild: approved && application.onNewBuild,
    requested: request,
    role: caller.role,
    calibration: false,
    offeredMonitorings: await offeredMonitorings(manager, architecture),
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

async function anyApproved(manager: EntityManager, applicationId: string, architecture: string) {
  const version = await manager
    .createQueryBuilder(ProfileVersion, 'version')
    .innerJoin('build', 'build', 'build.id = version.build_id')
    .where(`version.state = 'APPROVED' AND build.application_id = :applicationId`, { applicationId })
    .andWhere('build.architecture = :architecture', { architecture })
    .limit(1)
    .getOne();
  return (
    version && {
      profileVersionId: version.id,
      digest: version.digest,
      auditKind: auditKind(parseProfile(version.canonical)),
      stage: version.stage ?? 'enforce',
    }
  );
}

/** Monitoring offered by any node that has ever run a worker, online or not; before the first, everything this version supports. */
async function offeredMonitorings(manager: EntityManager, architecture: string): Promise<readonly Monitoring[]> {
  const nodes = await manager.find(NodeRow, {
    where: { architecture },
    select: { id: true, offeredMonitorings: true },
  });
  const offered = new Set(nodes.flatMap((node) => node.offeredMonitorings));
  if (offered.size === 0) return MONITORINGS;
  return MONITORINGS.filter((monitoring) => offered.has(monitoring));
}
