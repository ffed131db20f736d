/** Finds the jobs that a caller may see: a submitter those of its own key, reviewers and admins the tenant's. */
import { Job } from '#lib/database';
import { type EntityManager, type SelectQueryBuilder } from 'typeorm';
import { atLeast, type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { countDenials } from './count-denials.js';
import { type JobListQuery } from './job-answers.js';
import { whyTheyWait } from './why-they-wait.js';

/** Inputs and outputs may be large, and a page has many jobs. */
const SUMMARY_COLUMNS =
  'id name state waitingReason errorCode errorMessage priority architecture tags submittedBy rerunOf createdAt startedAt endedAt'
    .split(' ')
    .map((property) => `job.${property}`);

/** Newest first. */
export async function listJobs(manager: EntityManager, caller: Caller, query: JobListQuery) {
  const select = visibleJobs(manager, caller)
    .select(SUMMARY_COLUMNS)
    .orderBy('job.created_at', 'DESC')
    .addOrderBy('job.id', 'DESC')
    .limit(query.limit);
  const { state, application, namePrefix, createdAfter, createdBefore, after } = query;
  if (state !== undefined) select.andWhere('job.state = :state', { state });
  if (namePrefix !== undefined) select.andWhere('starts_with(job.name, :namePrefix)', { namePrefix });
  if (createdAfter !== undefined) select.andWhere('job.created_at > :createdAfter', { createdAfter });
  if (createdBefore !== undefined) select.andWhere('job.created_at < :createdBefore', { createdBefore });
  const tags = tagsOf(query);
  if (tags !== null) select.andWhere('job.tags @> :tags::jsonb', { tags: JSON.stringify(tags) });
  if (application !== undefined) {
    select.andWhere(
      `EXISTS (SELECT FROM executor JOIN application ON application.id = executor.application_id
               WHERE executor.job_id = job.id AND application.name = :application)`,
      { application },
    );
  }
  if (after !== undefined) {
    select.andWhere('(job.created_at, job.id) < (SELECT created_at, id FROM job WHERE id = :after)', { after });
  }
  const jobs = await select.getMany();
  const denialsOf = await countDenials(
    manager,
    jobs.map(({ id }) => id),
  );
  const why = await whyTheyWait(manager, jobs);
  return jobs.map((job) => ({ ...job, waitingReasonText: why(job), denials: denialsOf(job.id) }));
}

/** Throws not-found, for a job that the caller may not see too. */
export async function findJob(manager: EntityManager, caller: Caller, id: string): Promise<Job> {
  const job = await visibleJobs(manager, caller).andWhere('job.id = :id', { id }).getOne();
  if (!job) throw noSuchJob(id);
  return job;
}

export function noSuchJob(id: string): PorinError {
  return new PorinError('not-found', `There is no job ${id}.`);
}

function visibleJobs(manager: EntityManager, caller: Caller): SelectQueryBuilder<Job> {
  const select = manager.createQueryBuilder(Job, 'job').where('job.tenant = :tenant', { tenant: caller.tenant });
  const submitter = onlySubmitter(caller);
  return submitter === null ? select : select.andWhere('job.submitted_by = :submitter', { submitter });
}

/** For SQL: the principal whose jobs alone the caller may see; null where it may see all of its tenant. */
export function onlySubmitter({ role, principalId }: Caller): string | null {
  return atLeast(role, 'reviewer') ? null : principalId;
}

/** Null when no tag is asked for. */
function tagsOf({ tag }: JobListQuery): Record<string, string> | null {
  if (tag === undefined) return null;
  const tags = Array.isArray(tag) ? tag : [tag];
  return Object.fromEntries(tags.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}
