/** Whether somebody else must approve a version: who brought it about may not, where the tenant asks for four eyes. */
import { type ProfileVersion, TenantSetting } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../../auth/caller.js';

export interface FourEyes {
  /** What the tenant's setting says. */
  readonly required: boolean;
  /** What stands against an approval by the caller, in words; null where nothing does. */
  readonly objection: string | null;
}

type Reviewed = Pick<ProfileVersion, 'id' | 'proposedBy'>;

/**
 * Who proposed it by hand, and whoever submitted a job whose recording or denials are behind it, or which waits for it:
 * a principal, by whatever key.
 */
export async function fourEyes(manager: EntityManager, caller: Caller, version: Reviewed): Promise<FourEyes> {
  const setting = await manager.findOneBy(TenantSetting, { tenant: caller.tenant });
  if (!setting?.fourEyes) return { required: false, objection: null };
  if (version.proposedBy === caller.principalId) {
    return { required: true, objection: 'You proposed this version; another person must approve it.' };
  }
  const rows: { jobId: string }[] = await manager.query(
    `SELECT job.id AS "jobId" FROM job
     WHERE job.submitted_by = $2 AND (job.held_version_id = $1 OR EXISTS (
       SELECT FROM executor_run AS run WHERE run.job_id = job.id AND run.id IN (
         SELECT executor_run_id FROM profile_version_recording WHERE profile_version_id = $1
         UNION ALL SELECT executor_run_id FROM profile_version_denial WHERE profile_version_id = $1)))
     ORDER BY job.created_at LIMIT 1`,
    [version.id, caller.principalId],
  );
  const [own] = rows;
  const objection =
    own && `You submitted the job ${own.jobId}, which this version comes from; another person must approve it.`;
  return { required: true, objection: objection ?? null };
}
