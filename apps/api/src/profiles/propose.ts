/** Proposes profile versions from the recordings of a build; a person decides about each of them. */
import { ProfileVersion } from '#lib/database';
import {
  type Architecture,
  canonicalProfile,
  type Digest,
  FileRulesError,
  type MergeOptions,
  mergeRecordings,
  type MergeResult,
  parseProfile,
  type RecordedRun,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { uncompilable } from './compile-problem.js';
import { readStoredRecording } from './stored-recording.js';
import { storeProposal } from './store-proposal.js';

/** Recordings that one version is merged from, at most: the newest. Of their stored sizes together too: they are in memory at once. */
const RECORDINGS_MAXIMUM = 1000;
const RECORDINGS_BYTES = 64 * 1024 ** 2;

/** Builds with recordings that nobody has looked at since their job ended. */
export async function buildsToConsider(manager: EntityManager): Promise<string[]> {
  const rows: { id: string }[] = await manager.query(
    `SELECT DISTINCT run.build_id AS id FROM recording
     JOIN executor_run AS run ON run.id = recording.executor_run_id JOIN job ON job.id = run.job_id
     WHERE recording.considered_at IS NULL AND job.ended_at IS NOT NULL LIMIT 100`,
  );
  return rows.map(({ id }) => id);
}

export interface Consideration {
  /** The version that is proposed now and was not before. */
  readonly proposed: { readonly id: string; readonly number: number; readonly digest: Digest } | null;
  /** Why what was learned cannot be a profile, and so nothing is proposed. */
  readonly problem: string | null;
  /** Recordings that nothing is learned from, because they are not what a worker of ours stores. */
  readonly unbelievable: readonly { readonly executorRunId: string; readonly problem: string }[];
}

interface BuildRow {
  readonly id: string;
  readonly tenant: string;
  readonly architecture: Architecture;
  readonly needed: number;
  readonly distinctInputs: number;
}
type TeachingRun = RecordedRun & { readonly executorRunId: string };

/**
 * Looks at the build's recordings, all of them together, when there is a new one that may teach. Recordings behind a version
 * that was rejected or revoked teach no more: what was refused needs new evidence.
 */
export async function considerBuild(manager: EntityManager, buildId: string): Promise<Consideration> {
  const build = await lockBuild(manager, buildId);
  // Marked before they are read, so that one whose job ends in between is looked at again rather than never.
  const fresh = await markConsidered(manager, buildId);
  const approved = await manager.findOneBy(ProfileVersion, { buildId, state: 'APPROVED' });
  const { runs, unbelievable } = await teachingRuns(manager, build, approved !== null);
  const nothing = { proposed: null, problem: null, unbelievable };
  if (!runs.some(({ executorRunId }) => fresh.has(executorRunId))) return nothing;
  const result = learn(runs, { ...build, basedOn: approved && parseProfile(approved.canonical) });
  if (typeof result === 'string') return { ...nothing, problem: result };
  if (result.kind === 'insufficient') return nothing;
  const { profile, digest, coverage } = result;
  const version = { digest, canonical: canonicalProfile(profile), coverage, basedOn: approved?.id ?? null };
  const stored = await storeProposal(manager, build, { ...version, proposedBy: null }, runs);
  return { ...nothing, proposed: stored.kind === 'proposed' ? stored : null };
}

/** In words, why what was seen is too much for a profile. */
function learn(runs: readonly RecordedRun[], options: MergeOptions): MergeResult | string {
  try {
    const result = mergeRecordings(runs, options);
    return result.kind === 'insufficient' ? result : (uncompilable(result.profile) ?? result);
  } catch (error) {
    if (error instanceof FileRulesError) return error.message;
    throw error;
  }
}

/** The lock makes proposals and decisions of one build follow one another; runs of the build start meanwhile. */
async function lockBuild(manager: EntityManager, id: string): Promise<BuildRow> {
  const rows: [BuildRow] = await manager.query(
    `SELECT build.id, application.tenant, build.architecture, application.recordings_needed AS needed,
       application.distinct_inputs_needed AS "distinctInputs"
     FROM build JOIN application ON application.id = build.application_id WHERE build.id = $1 FOR NO KEY UPDATE OF build`,
    [id],
  );
  return rows[0];
}

async function markConsidered(manager: EntityManager, buildId: string): Promise<ReadonlySet<string>> {
  const [rows]: [{ id: string }[]] = await manager.query(
    `UPDATE recording SET considered_at = now() FROM executor_run AS run JOIN job ON job.id = run.job_id
     WHERE run.id = recording.executor_run_id AND run.build_id = $1 AND recording.considered_at IS NULL
       AND job.ended_at IS NOT NULL RETURNING run.id`,
    [buildId],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Under enforcement a recording lacks what was refused, so it can only add to a version that was approved. */
async function teachingRuns(manager: EntityManager, build: BuildRow, hasApproved: boolean) {
  const rows: { executorRunId: string; digest: string; content: unknown; inputsDigest: string; exitCode: number }[] =
    await manager.query(
      `WITH newest AS (
         SELECT run.id, recording.created_at, run.inputs_digest, run.exit_code,
           sum(pg_column_size(recording.content)) OVER (ORDER BY recording.created_at DESC, run.id) AS bytes
       FROM recording JOIN executor_run AS run ON run.id = recording.executor_run_id JOIN job ON job.id = run.job_id
       WHERE run.build_id = $1 AND job.state = 'COMPLETE' AND run.exit_code = 0 AND recording.partial_reasons = '{}'
         AND (run.enforcement = 'none' OR $2) AND NOT EXISTS (
           SELECT FROM profile_version_recording AS link JOIN profile_version AS version ON version.id = link.profile_version_id
           WHERE link.executor_run_id = run.id AND version.state IN ('REJECTED', 'REVOKED'))
       ORDER BY recording.created_at DESC, run.id LIMIT $3
       )
       SELECT newest.id AS "executorRunId", recording.digest, recording.content, inputs_digest AS "inputsDigest",
         exit_code AS "exitCode"
       FROM newest JOIN recording ON recording.executor_run_id = newest.id WHERE bytes <= $4
       ORDER BY newest.created_at DESC, newest.id`,
      [build.id, hasApproved, RECORDINGS_MAXIMUM, RECORDINGS_BYTES],
    );
  const runs: TeachingRun[] = [];
  const unbelievable: { executorRunId: string; problem: string }[] = [];
  for (const { content, ...run } of rows) {
    const recording = readStoredRecording({ digest: run.digest, content }, build.architecture);
    if (typeof recording === 'string') unbelievable.push({ executorRunId: run.executorRunId, problem: recording });
    else if (recording.partialReasons.length === 0) runs.push({ ...run, recording });
  }
  return { runs, unbelievable };
}
