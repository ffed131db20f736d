/** Proposes profile versions from the recordings of a build; a person decides about each of them. */
import { Audit, ProfileVersion, ProfileVersionRecording } from '#lib/database';
import {
  type Architecture,
  canonicalProfile,
  type Coverage,
  type Digest,
  mergeRecordings,
  parseProfile,
  type ProfileState,
  type RecordedRun,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { readStoredRecording } from './stored-recording.js';

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
  if (!runs.some(({ executorRunId }) => fresh.has(executorRunId))) return { proposed: null, unbelievable };
  const { needed, distinctInputs } = build;
  const basedOn = approved && parseProfile(approved.canonical);
  const result = mergeRecordings(runs, { needed, distinctInputs, basedOn });
  if (result.kind === 'insufficient') return { proposed: null, unbelievable };
  const { profile, digest, coverage } = result;
  const version = { digest, canonical: canonicalProfile(profile), coverage, basedOn: approved?.id ?? null };
  return { proposed: await propose(manager, build, version, runs), unbelievable };
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

interface NewVersion {
  readonly digest: Digest;
  readonly canonical: string;
  readonly coverage: Coverage;
  readonly basedOn: string | null;
}

async function propose(
  manager: EntityManager,
  build: BuildRow,
  version: NewVersion,
  runs: readonly TeachingRun[],
): Promise<Consideration['proposed']> {
  const { digest, coverage, basedOn } = version;
  const known = await manager.findOneBy(ProfileVersion, { buildId: build.id, digest });
  if (known?.state === 'PROPOSED') {
    // The same profile on more evidence.
    await manager.update(ProfileVersion, { id: known.id }, { coverage });
    await linkRecordings(manager, known.id, runs);
  }
  // What was decided is not asked again; what was superseded undecided, or by a version that is gone now, is.
  if (known && known.state !== 'SUPERSEDED') return null;
  await manager.update(ProfileVersion, { buildId: build.id, state: 'PROPOSED' }, { state: 'SUPERSEDED' });
  const state: ProfileState = 'PROPOSED';
  let { id, number } = known ?? { id: '', number: 0 };
  if (known) {
    const undecided = { state, coverage, basedOn, statement: null, signature: null, decidedAt: null };
    await manager.update(ProfileVersion, { id }, undecided);
  } else {
    number = ((await manager.maximum(ProfileVersion, 'number', { buildId: build.id })) ?? 0) + 1;
    const inserted = await manager.insert(ProfileVersion, { ...version, buildId: build.id, number, state });
    ({ id } = inserted.identifiers[0] as { id: string });
  }
  await linkRecordings(manager, id, runs);
  await manager.insert(Audit, {
    ...{ tenant: build.tenant, actor: 'dispatcher', action: 'profile.propose' },
    ...{ subjectType: 'profile_version', subjectId: id },
    detail: { buildId: build.id, number, digest, recordings: runs.length },
  });
  return { id, number, digest };
}

async function linkRecordings(manager: EntityManager, id: string, runs: readonly TeachingRun[]): Promise<void> {
  await manager
    .createQueryBuilder()
    .insert()
    .into(ProfileVersionRecording)
    .values(runs.map(({ executorRunId, digest }) => ({ profileVersionId: id, executorRunId, recordingDigest: digest })))
    .orIgnore()
    .execute();
}
