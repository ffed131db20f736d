/** Proposes profile versions from the recordings of a build; a person decides about each of them. */
import { ProfileVersion } from '#lib/database';
import {
  type Architecture,
  canonicalProfile,
  type Closure,
  type Digest,
  type Enforcement,
  FAMILIES_VERSION,
  FileRulesError,
  firstSeenIn,
  type MergeOptions,
  mergeRecordings,
  type MergeResult,
  parseProfile,
  type RecordedRun,
  withRuns,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { checkRecordings, type Unbelievable } from './check-recordings.js';
import { uncompilable } from './compile-problem.js';
import { storeProposal } from './store-proposal.js';
import { RECORDED_RUNS, VERDICT, type Verdict } from './verdict.js';

/** Recordings that one version is merged from, at most: the newest. Of their JSON texts together too: they are in memory at once. */
const RECORDINGS_MAXIMUM = 1000;
const RECORDINGS_BYTES = 64 * 1024 ** 2;

export interface Consideration {
  /** The version that is proposed now and was not before. */
  readonly proposed: { readonly id: string; readonly number: number; readonly digest: Digest } | null;
  /** Why what was learned cannot be a profile, and so nothing is proposed. */
  readonly problem: string | null;
  /** Recordings that nothing is learned from, because they are not what a worker of ours stores. */
  readonly unbelievable: readonly Unbelievable[];
}

/** What the administrators of the grid say, and no application does. */
export type LearningSettings = Required<Pick<MergeOptions, 'beyondDefault'>>;

interface BuildRow {
  readonly id: string;
  readonly tenant: string;
  readonly architecture: Architecture;
  readonly needed: number;
  readonly distinctInputs: number;
  readonly expectedExitCodes: readonly number[];
  readonly closure: Closure;
}

interface TeachingRun extends RecordedRun {
  readonly executorRunId: string;
  readonly enforcement: Enforcement;
}

/** Looks at the build's recordings, all of them together, when there is a new one that teaches. */
export async function considerBuild(
  manager: EntityManager,
  buildId: string,
  settings: LearningSettings,
): Promise<Consideration> {
  const build = await lockBuild(manager, buildId);
  const unbelievable = await checkRecordings(manager, build);
  const nothing = { proposed: null, problem: null, unbelievable };
  if (!(await markConsidered(manager, buildId))) return nothing;
  const approved = await manager.findOneBy(ProfileVersion, { buildId, state: 'APPROVED' });
  const runs = (await isEnough(manager, build)) ? await teachingRuns(manager, buildId) : [];
  const options: MergeOptions = {
    ...build,
    ...settings,
    ...(approved && {
      basedOn: parseProfile(approved.canonical),
      basedOnTaught: approved.conditionsTaught,
      basedOnOrigins: approved.origins,
    }),
  };
  const result = runs.length > 0 ? learn(runs, options) : null;
  const problem = typeof result === 'string' ? result : null;
  await manager.query('UPDATE build SET learning_problem = $2 WHERE id = $1', [buildId, problem]);
  if (result === null || typeof result === 'string') return { ...nothing, problem };
  const { profile, digest, coverage } = result;
  const proposal = {
    ...{ digest, canonical: canonicalProfile(profile), coverage, basedOn: approved?.id ?? null, proposedBy: null },
    origins: withRuns(result.origins, firstSeenIn([...runs].reverse()), approved?.origins),
    familiesVersion: FAMILIES_VERSION,
    conditionsTaught: result.isTaught || (approved?.conditionsTaught ?? false),
  };
  const stored = await storeProposal(manager, build, proposal, runs);
  return { ...nothing, proposed: stored.kind === 'proposed' ? stored : null };
}

type Learned = Extract<MergeResult, { kind: 'profile' }>;

/** In words, why what was seen is too much for a profile. */
function learn(runs: readonly RecordedRun[], options: MergeOptions): Learned | string {
  try {
    const result = mergeRecordings(runs, options);
    if (result.kind === 'profile') return uncompilable(result.profile) ?? result;
    return `its recordings are too large: ${result.have} of them have ${RECORDINGS_BYTES} bytes, which is all that is looked at`;
  } catch (error) {
    if (error instanceof FileRulesError) return error.message;
    throw error;
  }
}

/** The lock makes proposals and decisions of one build follow one another; runs of the build start meanwhile. */
async function lockBuild(manager: EntityManager, id: string): Promise<BuildRow> {
  const rows: [BuildRow] = await manager.query(
    `SELECT build.id, application.tenant, build.architecture, application.recordings_needed AS needed,
       application.distinct_inputs_needed AS "distinctInputs", application.expected_exit_codes AS "expectedExitCodes",
       application.closure
     FROM build JOIN application ON application.id = build.application_id WHERE build.id = $1 FOR NO KEY UPDATE OF build`,
    [id],
  );
  return rows[0];
}

/**
 * Whether any of them teaches. One that is still unchecked, as it is when its job has ended since or when there were too
 * many, is left for the next time.
 */
async function markConsidered(manager: EntityManager, buildId: string): Promise<boolean> {
  const verdicts: { verdict: Verdict; fresh: boolean; again: boolean }[] = await manager.query(
    `WITH judged AS (
       SELECT run.id, ${VERDICT} AS verdict, recording.considered_at IS NULL AS fresh, build.reconsider_since IS NOT NULL AS again
       FROM ${RECORDED_RUNS} WHERE build.id = $1 AND job.ended_at IS NOT NULL
     ), marked AS (
       UPDATE recording SET considered_at = now() FROM judged
       WHERE judged.id = recording.executor_run_id AND (fresh OR again) AND verdict <> 'unchecked'
     ), done AS (
       UPDATE build SET reconsider_since = NULL WHERE id = $1 AND NOT EXISTS (SELECT FROM judged WHERE verdict = 'unchecked')
     )
     SELECT DISTINCT verdict, fresh, again FROM judged`,
    [buildId],
  );
  return verdicts.some(({ verdict, fresh, again }) => verdict === 'teaches' && (fresh || again));
}

async function isEnough(manager: EntityManager, { id, needed, distinctInputs }: BuildRow): Promise<boolean> {
  const rows: [{ recordings: number; inputs: number }] = await manager.query(
    `SELECT count(*)::int AS recordings, count(DISTINCT run.inputs_digest)::int AS inputs
     FROM ${RECORDED_RUNS} WHERE build.id = $1 AND ${VERDICT} = 'teaches'`,
    [id],
  );
  return rows[0].recordings >= needed && rows[0].inputs >= distinctInputs;
}

/** The newest first. */
function teachingRuns(manager: EntityManager, buildId: string): Promise<TeachingRun[]> {
  return manager.query(
    `WITH newest AS (
       SELECT run.id, run.inputs_digest, run.exit_code, run.enforcement,
         sum(content_bytes) OVER (ORDER BY recording.created_at DESC, run.id) AS bytes
       FROM ${RECORDED_RUNS} WHERE build.id = $1 AND ${VERDICT} = 'teaches'
       ORDER BY recording.created_at DESC, run.id LIMIT $2
     )
     SELECT newest.id AS "executorRunId", recording.digest, recording.content AS recording, inputs_digest AS "inputsDigest",
       exit_code AS "exitCode", enforcement
     FROM newest JOIN recording ON recording.executor_run_id = newest.id WHERE bytes <= $3
     ORDER BY recording.created_at DESC, newest.id`,
    [buildId, RECORDINGS_MAXIMUM, RECORDINGS_BYTES],
  );
}
