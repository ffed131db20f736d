/** Proposes profile versions from the recordings of a build and from what its runs were refused; a person decides about each of them. */
import { ProfileVersion } from '#lib/database';
import {
  type Architecture,
  canonicalProfile,
  type Closure,
  departures,
  type Digest,
  type Enforcement,
  FAMILIES_VERSION,
  firstSeenIn,
  type MergeOptions,
  type Origin,
  parseProfile,
  type RecordedRun,
  withRuns,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { endJobsDeniedTooOften, waitForVersion } from '../held/denied-jobs.js';
import { checkRecordings, type Unbelievable } from '../recordings/check-recordings.js';
import { chooseEvidence, type DeniedRecording } from '../denied/choose-evidence.js';
import { deniedEvidence, NO_EVIDENCE } from '../denied/denied-evidence.js';
import { linkRefusedRuns, takeRefusedRuns } from '../denied/denied-runs.js';
import { LEARNED_BYTES, type Learned, learnProfile } from './learn-profile.js';
import { mayPropose, POSTPONED } from './postponed.js';
import { type Proposal, storeProposal, type StoredProposal } from './store-proposal.js';
import { RECORDED_RUNS, VERDICT, type Verdict } from '../recordings/verdict.js';

/** Recordings that one version is merged from, at most: the newest. */
const RECORDINGS_MAXIMUM = 1000;

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
  /** All that is known of it is to be looked at again. */
  readonly isAgain: boolean;
}

interface TeachingRun extends RecordedRun {
  readonly executorRunId: string;
  readonly enforcement: Enforcement;
}

/**
 * Looks at the build's recordings, all of them together, and at what its runs were refused, when there is something new of
 * either. Jobs that wait because of a refusal wait for the proposed version from then on, or end where no version helps.
 */
export async function considerBuild(
  manager: EntityManager,
  buildId: string,
  settings: LearningSettings,
): Promise<Consideration> {
  const build = await lockBuild(manager, buildId);
  const unbelievable = await checkRecordings(manager, build);
  const nothing = { proposed: null, problem: null, unbelievable };
  const refused = await takeRefusedRuns(manager, build);
  const refusedIds = refused.map(({ executorRunId }) => executorRunId);
  await endJobsDeniedTooOften(manager, refusedIds);
  const teaches = await markConsidered(manager, buildId);
  if (!teaches && refused.length === 0 && !build.isAgain) return nothing;
  const approved = await manager.findOneBy(ProfileVersion, { buildId, state: 'APPROVED' });
  const options: MergeOptions = {
    ...build,
    ...settings,
    ...(approved && {
      basedOn: parseProfile(approved.canonical),
      basedOnTaught: approved.conditionsTaught,
      basedOnOrigins: approved.origins,
    }),
  };
  const denied = approved ? await deniedEvidence(manager, build, approved, { refused, merge: options }) : NO_EVIDENCE;
  if (!teaches && denied.all.length === 0) return nothing;
  const runs = (await isEnough(manager, build, approved)) ? await teachingRuns(manager, buildId, approved) : [];
  const { learned, ...sources } = chooseSources(runs, denied.all, (each) => {
    const candidate = learn(each, options);
    return { learned: candidate, isUsable: typeof candidate !== 'string' && !denied.declined.has(candidate.digest) };
  });
  const problem = typeof learned === 'string' ? learned : (await mayPropose(manager, build)) ? null : POSTPONED;
  await manager.query('UPDATE build SET learning_problem = $2 WHERE id = $1', [buildId, problem]);
  if (problem !== null || learned === null || typeof learned === 'string') return { ...nothing, problem };
  const stored = await storeProposal(manager, build, proposalOf(learned, sources, approved), sources.runs);
  if (approved) {
    const runIds = sources.denied.map(({ executorRunId }) => executorRunId);
    const evidence = { runIds, all: runIds.length === denied.all.length };
    await followUp(manager, stored, { buildId, basedOn: approved.id, digest: learned.digest }, evidence);
  }
  return { ...nothing, proposed: stored.kind === 'proposed' ? stored : null };
}

interface Sources {
  readonly runs: readonly TeachingRun[];
  readonly denied: readonly DeniedRecording[];
}

interface Candidate {
  readonly learned: Learned | string;
  /** It is a profile, and none that was decided against. */
  readonly isUsable: boolean;
}

/**
 * All together; where that is of no use, what was refused, as much of it as is usable; then recordings alone: nobody's
 * refused calls keep others, or what was recorded, out of a proposal. Of no use at all: as it is with all together.
 */
function chooseSources(
  runs: readonly TeachingRun[],
  denied: readonly DeniedRecording[],
  attempt: (sources: Sources) => Candidate,
): Sources & { readonly learned: Learned | string | null } {
  const all = { runs, denied };
  if (runs.length === 0 && denied.length === 0) return { ...all, learned: null };
  const together = attempt(all);
  if (together.isUsable) return { ...all, learned: together.learned };
  const chosen = chooseEvidence(denied, (some) => attempt({ runs: [], denied: some }).isUsable);
  const rest = chosen.length > 0 ? { runs: [], denied: chosen } : { runs, denied: [] };
  if (rest.runs.length + rest.denied.length === 0) return { ...all, learned: together.learned };
  const { learned, isUsable } = attempt(rest);
  return isUsable ? { ...rest, learned } : { ...all, learned: together.learned };
}

function learn({ runs, denied }: Sources, options: MergeOptions): Learned | string {
  return learnProfile(runs, { ...options, denied: denied.map(({ recording }) => recording) });
}

function proposalOf(learned: Learned, { runs, denied }: Sources, approved: ProfileVersion | null): Proposal {
  const { profile, digest, coverage } = learned;
  const audited = new Set(
    runs.filter(({ enforcement }) => enforcement === 'audit').map(({ executorRunId }) => executorRunId),
  );
  const refused = new Set(denied.map(({ executorRunId }) => executorRunId));
  const broughtAs = (run: string): Origin => (refused.has(run) ? 'denied' : audited.has(run) ? 'audit' : 'seen');
  return {
    digest,
    canonical: canonicalProfile(profile),
    coverage,
    origins: withRuns(learned.origins, firstSeenIn([...[...runs].reverse(), ...denied]), approved?.origins, broughtAs),
    familiesVersion: FAMILIES_VERSION,
    conditionsTaught: learned.isTaught || (approved?.conditionsTaught ?? false),
    basedOn: approved?.id ?? null,
    proposedBy: null,
  };
}

/** The runs that were refused calls are evidence of the version that would allow them, and their jobs wait for it. */
async function followUp(
  manager: EntityManager,
  stored: StoredProposal,
  proposed: { readonly buildId: string; readonly basedOn: string; readonly digest: Digest },
  evidence: Parameters<typeof linkRefusedRuns>[2],
): Promise<void> {
  // A version that a person wrote does not answer these runs.
  if (stored.kind === 'known' && (stored.state !== 'PROPOSED' || stored.digest !== proposed.digest)) return;
  await linkRefusedRuns(manager, { ...proposed, id: stored.id }, evidence);
  await waitForVersion(manager, stored.id);
}

/** The lock makes proposals and decisions of one build follow one another; runs of the build start meanwhile. */
async function lockBuild(manager: EntityManager, id: string): Promise<BuildRow> {
  const rows: [BuildRow] = await manager.query(
    `SELECT build.id, application.tenant, build.architecture, application.recordings_needed AS needed,
       application.distinct_inputs_needed AS "distinctInputs", application.expected_exit_codes AS "expectedExitCodes",
       application.closure, build.reconsider_since IS NOT NULL AS "isAgain"
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

/** For an addition to an approved version, one recording is. */
async function isEnough(
  manager: EntityManager,
  { id, needed, distinctInputs }: BuildRow,
  approved: ProfileVersion | null,
): Promise<boolean> {
  if (approved) return true;
  const rows: [{ recordings: number; inputs: number }] = await manager.query(
    `SELECT count(*)::int AS recordings, count(DISTINCT run.inputs_digest)::int AS inputs
     FROM ${RECORDED_RUNS} WHERE build.id = $1 AND ${VERDICT} = 'teaches'`,
    [id],
  );
  return rows[0].recordings >= needed && rows[0].inputs >= distinctInputs;
}

/**
 * The newest first. A run under the approved version that did nothing beside it adds nothing: it is no evidence of the next
 * one, and does not change in how many of its recordings a call was.
 */
async function teachingRuns(
  manager: EntityManager,
  buildId: string,
  approved: ProfileVersion | null,
): Promise<readonly TeachingRun[]> {
  const runs: TeachingRun[] = await manager.query(
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
    [buildId, RECORDINGS_MAXIMUM, LEARNED_BYTES],
  );
  if (!approved) return runs;
  const profile = parseProfile(approved.canonical);
  return runs.filter(
    ({ enforcement, recording }) => enforcement === 'none' || departures(recording, profile).length > 0,
  );
}
