/** Runs that were refused calls: which of them are to be looked at for a proposal, and which are evidence of one already. */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { type Architecture, AWARE_ARGUMENTS, type Recording, type RefusedCall } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { z } from 'zod';
import { RUN_OF_HELD_JOB } from '../held/denied-jobs.js';
import { RECORDING_MAXIMUM_BYTES } from '../recordings/check-recordings.js';
import { readStoredRecording } from '../recordings/stored-recording.js';

/** Of one submitter on one build that become evidence in an hour: more tell nothing, and must not bury those of others. */
export const DENIED_RUNS_PER_HOUR = 20;
/** Looked at at once; the rest follows when the build is considered next. */
const RUNS_AT_ONCE = 40;
/** Different uses of one call that are read, the oldest first: what was there is not pushed out by what comes. */
const USES_MAXIMUM = 200;
/** Recordings that are read for the files that were refused, together. */
const RECORDINGS_BYTES = RECORDING_MAXIMUM_BYTES;

const ENDED = `NOT ${ATTEMPT_IS_OPEN} AND (job.ended_at IS NOT NULL OR job.waiting_reason = 'waiting-for-profile-decision')`;

/**
 * Of `run`: a call was refused that its profile might have allowed. Under an audit only one of another build's rules refuses
 * those; what any other refuses no profile grants.
 */
const WAS_REFUSED = `EXISTS (SELECT FROM denial WHERE denial.executor_run_id = run.id AND denial.action <> 'continued')
  AND (run.enforcement = 'enforce' OR run.enforcement = 'audit' AND EXISTS (
    SELECT FROM approval WHERE approval.profile_version_id = run.profile_version_id
      AND approval.statement::jsonb->'audit'->>'inherited' = 'true'))`;

/** Runs that nobody has looked at, and the place of one among those of its submitter on its build, the oldest first. */
const UNSEEN = `executor_run AS run JOIN attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
  JOIN job ON job.id = run.job_id WHERE run.denials_considered_at IS NULL`;
const PLACE = `row_number() OVER (PARTITION BY run.build_id, job.submitted_by ORDER BY attempt.ended_at, run.id)`;

/**
 * Runs to be looked at now, the oldest of each submitter first; selects id, build_id, since. What a person wrote and nobody
 * has decided about is not joined with what was refused: runs wait for the decision. `condition`: on `run`.
 */
export const deniedRuns = (condition = 'true'): string => `WITH taken AS MATERIALIZED (
    SELECT run.build_id, job.submitted_by, count(*) AS runs FROM executor_run AS run JOIN job ON job.id = run.job_id
    WHERE run.denials_taken AND run.denials_considered_at > now() - interval '1 hour' AND ${condition} GROUP BY 1, 2
  ), waiting AS (
    SELECT run.id, run.build_id, job.submitted_by, coalesce(attempt.ended_at, run.started_at) AS since, ${PLACE} AS place
    FROM ${UNSEEN} AND ${ENDED} AND ${WAS_REFUSED} AND ${condition}
      AND NOT EXISTS (SELECT FROM taken WHERE taken.build_id = run.build_id AND taken.submitted_by = job.submitted_by
        AND taken.runs >= ${DENIED_RUNS_PER_HOUR})
      AND NOT EXISTS (SELECT FROM profile_version AS version
        WHERE version.build_id = run.build_id AND version.state = 'PROPOSED' AND version.proposed_by IS NOT NULL)
  )
  SELECT waiting.id, build_id, since FROM waiting LEFT JOIN taken USING (build_id, submitted_by)
  WHERE place <= ${DENIED_RUNS_PER_HOUR} - coalesce(taken.runs, 0)`;

export interface RefusedRun {
  readonly executorRunId: string;
  readonly profileVersionId: string | null;
  readonly submittedBy: string;
  /** Null where they are not what a worker of ours stores. */
  readonly refused: readonly RefusedCall[] | null;
  /** Read only where files were refused. */
  readonly recording: Recording | null;
}

/** Runs of the build that nobody has looked at, which are looked at now. The caller holds the build's lock. */
export async function takeRefusedRuns(
  manager: EntityManager,
  build: { readonly id: string; readonly architecture: Architecture },
): Promise<readonly RefusedRun[]> {
  const [taken]: [{ id: string }[], number] = await manager.query(
    `UPDATE executor_run SET denials_considered_at = now(), denials_taken = true
     WHERE id IN (SELECT id FROM (${deniedRuns('run.build_id = $1')}) AS denied ORDER BY since, id LIMIT $2) RETURNING id`,
    [build.id, RUNS_AT_ONCE],
  );
  const ids = taken.map(({ id }) => id);
  return readRefusedRuns(manager, ids, { architecture: build.architecture, each: true });
}

/**
 * Of $1, a build, and $2, its approved version: runs that are evidence of an addition which nobody has decided about, and
 * those whose jobs wait: not every proposal has room for all. A run behind a version that was rejected or revoked is none
 * any more.
 */
const EVIDENT = `SELECT behind.id FROM (
    SELECT link.executor_run_id AS id
    FROM profile_version_denial AS link JOIN profile_version AS version ON version.id = link.profile_version_id
    WHERE version.build_id = $1 AND version.based_on = $2 AND version.state IN ('PROPOSED', 'SUPERSEDED')
    UNION SELECT run.id FROM job JOIN executor_run AS run ON ${RUN_OF_HELD_JOB}
    WHERE job.held_build_id = $1 AND run.denials_taken
  ) AS behind
  WHERE NOT EXISTS (SELECT FROM profile_version_denial AS link JOIN profile_version AS version
    ON version.id = link.profile_version_id
    WHERE link.executor_run_id = behind.id AND version.state IN ('REJECTED', 'REVOKED'))`;

/** What such runs were refused: each use of a call once, by the first of them that has it. */
export async function evidentRuns(
  manager: EntityManager,
  build: { readonly id: string; readonly architecture: Architecture },
  approvedId: string,
): Promise<readonly RefusedRun[]> {
  const rows: { id: string }[] = await manager.query(EVIDENT, [build.id, approvedId]);
  const ids = rows.map(({ id }) => id);
  return readRefusedRuns(manager, ids, { architecture: build.architecture, each: false });
}

/** These runs are evidence of the version that would allow what they were refused; `all`: all that are evident by now, too. */
export async function linkRefusedRuns(
  manager: EntityManager,
  version: { readonly id: string; readonly buildId: string; readonly basedOn: string },
  { runIds, all }: { readonly runIds: readonly string[]; readonly all: boolean },
): Promise<void> {
  await manager.query(
    `INSERT INTO profile_version_denial (profile_version_id, executor_run_id)
     SELECT $3::uuid, id FROM (SELECT id FROM (${EVIDENT}) AS evident WHERE $5 UNION SELECT unnest($4::uuid[])) AS linked
     ON CONFLICT DO NOTHING`,
    [version.buildId, version.basedOn, version.id, runIds, all],
  );
}

/** Of ended jobs, of one submitter on one build, that wait to be looked at: the oldest. Nobody waits for the rest. */
const DENIED_RUNS_KEPT = 100;
const UNREFUSED = `SELECT run.id FROM ${UNSEEN} AND ${ENDED} AND NOT (${WAS_REFUSED})`;
const UNKEPT = `SELECT id FROM (
    SELECT run.id, ${PLACE} AS place FROM ${UNSEEN} AND job.ended_at IS NOT NULL AND ${WAS_REFUSED}) AS ended WHERE place > ${DENIED_RUNS_KEPT}`;
const PASSED_AT_ONCE = 1000;

/** So that they are not looked at again and again: ended runs that were refused nothing, or that are too many. The rest follows. */
export async function passRuns(manager: EntityManager): Promise<void> {
  for (const runs of [UNREFUSED, UNKEPT]) {
    await manager.query(
      `UPDATE executor_run SET denials_considered_at = now() WHERE id IN (SELECT id FROM (${runs}) AS passed LIMIT $1)`,
      [PASSED_AT_ONCE],
    );
  }
}

/** A worker is not to be believed. */
const refusedCalls: z.ZodType<readonly RefusedCall[]> = z.array(
  z.object({
    call: z.string().max(100),
    architecture: z.string().max(100),
    errno: z.string().max(100).nullable(),
    arguments: z.array(z.string().regex(/^0x[0-9a-f]{1,16}$/)).max(6),
    count: z.int().min(0),
  }),
);

interface Row {
  readonly executorRunId: string;
  readonly profileVersionId: string | null;
  readonly submittedBy: string;
  readonly refused: unknown;
  readonly digest: string | null;
  readonly content: unknown;
}

/** For each call, the arguments that tell one use of it from another. */
const AWARE = JSON.stringify(
  Object.fromEntries(
    Object.entries(AWARE_ARGUMENTS).map(([call, aware]) => [call, aware.map(({ argument }) => argument)]),
  ),
);

/** Oldest first. `each`: all that each run was refused; else what no run before it was. */
async function readRefusedRuns(
  manager: EntityManager,
  ids: readonly string[],
  { architecture, each }: { readonly architecture: Architecture; readonly each: boolean },
): Promise<readonly RefusedRun[]> {
  if (ids.length === 0) return [];
  const rows: Row[] = await manager.query(
    `WITH keyed AS (
       SELECT denial.*, shape->'architecture' AS abi, run.started_at, run.profile_version_id, job.submitted_by, CASE WHEN $5 THEN run.id END AS of_run,
         CASE WHEN call = 'file' THEN run.id::text ELSE (
           SELECT string_agg(shape->'arguments'->>(aware.index::int), ' ' ORDER BY aware.place)
           FROM jsonb_array_elements_text($4::jsonb->call) WITH ORDINALITY AS aware(index, place)) END AS use
       FROM denial JOIN executor_run AS run ON run.id = denial.executor_run_id JOIN job ON job.id = run.job_id
       WHERE run.id = ANY ($1) AND denial.action <> 'continued'
     ), uses AS (
       SELECT DISTINCT ON (of_run, call, abi, use) * FROM keyed
       ORDER BY of_run, call, abi, use, started_at, executor_run_id, position
     ), kept AS (
       SELECT *, row_number() OVER (PARTITION BY of_run, call, abi ORDER BY started_at, executor_run_id, position) AS place
       FROM uses
     ), told AS (
       SELECT executor_run_id AS id, started_at, profile_version_id, submitted_by, bool_or(call = 'file') AS of_files,
         jsonb_agg(jsonb_build_object('call', call, 'architecture', shape->'architecture', 'errno', shape->'errno',
           'arguments', coalesce(shape->'arguments', '[]'), 'count', count) ORDER BY position) AS refused
       FROM kept WHERE place <= $2 GROUP BY 1, 2, 3, 4
     ), recorded AS (
       SELECT told.id, recording.digest, recording.content,
         sum(content_bytes) OVER (ORDER BY told.started_at, told.id) AS bytes
       FROM told JOIN recording ON recording.executor_run_id = told.id WHERE of_files AND content_bytes <= $3
     )
     SELECT told.id AS "executorRunId", profile_version_id AS "profileVersionId", submitted_by AS "submittedBy", refused, digest, content
     FROM told LEFT JOIN recorded ON recorded.id = told.id AND bytes <= $3 ORDER BY told.started_at, told.id`,
    [ids, USES_MAXIMUM, RECORDINGS_BYTES, AWARE, each],
  );
  return rows.map(({ digest, content, refused, ...run }) => ({
    ...run,
    refused: refusedCalls.safeParse(refused).data ?? null,
    recording: recordingOf(digest, content, architecture),
  }));
}

function recordingOf(digest: string | null, content: unknown, architecture: Architecture): Recording | null {
  if (digest === null) return null;
  const recording = readStoredRecording({ digest, content }, architecture);
  return typeof recording === 'string' ? null : recording;
}
