/** Puts together the review of a profile version: what it adds, on whose evidence, and what it would have refused. */
import { type ProfileVersion } from '#lib/database';
import {
  additionsOf,
  type Architecture,
  attackSurface,
  DEFAULT_CEILING,
  diffProfile,
  engineDefaultNames,
  lintProfile,
  loaderWarnings,
  needsReason,
  parseProfile,
  type Recording,
  reviewCalls,
  type ReviewedRun,
  reviewFamilies,
  wouldRefuse,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type z } from 'zod';
import { type Caller } from '../../auth/caller.js';
import { findBase, findVersion } from '../find-profiles.js';
import { fourEyes } from '../decide/four-eyes.js';
import { type profileReview } from './review-answer.js';
import { callEvidence, denialEvidence } from './review-evidence.js';
import { readRecordings } from './version-recordings.js';

type Review = z.input<typeof profileReview>;

/** Runs that are told what a version would have refused in, and those whose environment and inputs are looked at. */
const LAST_RUNS = 50;
const REVIEWED_RUNS = 1000;

/** Throws not-found. */
export async function reviewProfile(
  manager: EntityManager,
  caller: Caller,
  id: string,
  beyondDefault: readonly string[],
): Promise<Review> {
  const version = await findVersion(manager, caller.tenant, id);
  const base = await findBase(manager, version);
  const profile = parseProfile(version.canonical);
  const { architecture } = profile;
  const previous = base?.profile ?? null;
  const calls = reviewCalls(profile, previous, version.origins);
  const { quietRefusals, files, pids, landlockMinimum } = diffProfile(
    profile,
    previous,
    engineDefaultNames(architecture),
  );
  const evidenceOf = await callEvidence(manager, id);
  const { required, objection } = await fourEyes(manager, caller, version);
  return {
    id,
    digest: version.digest,
    state: version.state,
    basedOn: base?.id ?? null,
    families: reviewFamilies(calls),
    calls: calls.map((call) => ({ ...call, ...evidenceOf(call.name) })),
    ...{ quietRefusals, files, pids, landlockMinimum },
    lint: lintProfile(profile, version.coverage, DEFAULT_CEILING, beyondDefault),
    evidence: await denialEvidence(manager, id),
    warnings: loaderWarnings(await reviewedRuns(manager, id)),
    wouldHaveRefused: wouldRefuse(await lastRecordings(manager, version, architecture), profile),
    attackSurface: attackSurface(profile),
    reasonRequired: needsReason(additionsOf(profile, previous)),
    fourEyes: { required, mayDecide: objection === null, objection },
  };
}

/** Of the build, whatever they ran under; under enforcement a recording lacks what was refused, and tells nothing of it. */
function lastRecordings(
  manager: EntityManager,
  version: ProfileVersion,
  architecture: Architecture,
): Promise<readonly Recording[]> {
  return readRecordings(
    manager,
    architecture,
    `SELECT run.id FROM executor_run AS run JOIN recording ON recording.executor_run_id = run.id
     WHERE run.build_id = $1 AND recording.partial_reasons = '{}' AND recording.problem IS NULL
     ORDER BY recording.created_at DESC, run.id LIMIT ${LAST_RUNS}`,
    [version.buildId],
  );
}

interface RunRow extends Omit<ReviewedRun, 'files'> {
  readonly files: NonNullable<ReviewedRun['files']> | null;
}

/** Behind the version; of their recordings the executed files alone. */
async function reviewedRuns(manager: EntityManager, versionId: string): Promise<readonly ReviewedRun[]> {
  const rows: RunRow[] = await manager.query(
    `WITH behind AS (
       SELECT executor_run_id FROM profile_version_denial WHERE profile_version_id = $1
       UNION SELECT executor_run_id FROM profile_version_recording WHERE profile_version_id = $1
     )
     SELECT run.id AS "runId", job.id AS "jobId", executor.environment,
       coalesce((SELECT jsonb_agg(input->>'path') FROM jsonb_array_elements(job.inputs) AS input), '[]') AS "inputPaths",
       (SELECT jsonb_agg(use) FROM jsonb_array_elements(recording.content->'files') AS use
        WHERE use->>'access' = 'execute') AS files
     FROM behind JOIN executor_run AS run ON run.id = behind.executor_run_id JOIN job ON job.id = run.job_id
     JOIN executor ON executor.job_id = run.job_id AND executor.position = run.position
     LEFT JOIN recording ON recording.executor_run_id = run.id AND recording.call_names IS NOT NULL
       AND recording.problem IS NULL
     ORDER BY run.started_at, run.id LIMIT $2`,
    [versionId, REVIEWED_RUNS],
  );
  return rows.map(({ files, ...run }) => ({ ...run, ...(files && { files }) }));
}
