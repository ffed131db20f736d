/** Reads what one recording saw, and says whether anything is learned from it. */
import { ExecutorRun, ProfileVersion } from '#lib/database';
import { allowedNames, isTrace, parseProfile, type Profile, type Recording, refusalsByName } from '#lib/profiles';
import { type EntityManager, In } from 'typeorm';
import { type z } from 'zod';
import { PorinError } from '../../errors/porin-error.js';
import {
  partialReasonWords,
  readStoredRecording,
  RECORDED_RUNS,
  RECORDING_MAXIMUM_BYTES,
  type Verdict,
  VERDICT,
  verdictWords,
} from '#lib/store';
import { recordingAnswer, type RecordingQuery } from './recording-answers.js';

type Answer = z.input<typeof recordingAnswer>;

interface Row {
  readonly digest: string;
  /** Null where it is larger than any that a worker of ours stores. */
  readonly content: unknown;
  readonly partialReasons: readonly string[];
  readonly problem: string | null;
  readonly createdAt: Date;
  readonly consideredAt: Date | null;
  readonly architecture: Recording['architecture'];
  readonly verdict: Verdict;
  readonly errorMessage: string | null;
  readonly expectedExitCodes: readonly number[];
}

export interface RecordedRun {
  readonly runId: string;
  /** Of the recording, as it is stored. */
  readonly bytes: number;
}

/** Of the latest attempt that started the executor, unless one is named. Throws no-recording. */
export async function findRecordedRun(
  manager: EntityManager,
  jobId: string,
  { executor, attempt }: RecordingQuery,
): Promise<RecordedRun> {
  const run = await manager.findOne(ExecutorRun, {
    where: { jobId, position: executor, ...(attempt !== undefined && { attemptNumber: attempt }) },
    order: { attemptNumber: 'DESC' },
  });
  if (!run) {
    const where = attempt === undefined ? '' : ` in attempt ${attempt}`;
    throw new PorinError('no-recording', `Executor ${executor} of the job has not been started${where}.`);
  }
  const sql = 'SELECT content_bytes::float8 AS bytes FROM recording WHERE executor_run_id = $1';
  const [stored]: { bytes: number }[] = await manager.query(sql, [run.id]);
  if (!stored) throw new PorinError('no-recording', whyNone(run));
  return { runId: run.id, bytes: stored.bytes };
}

/** The answer as JSON: some MiB of it take seconds to check and to write. Throws no-recording and recording-integrity. */
export async function recordingText(manager: EntityManager, runId: string): Promise<Buffer> {
  const answer = recordingAnswer.parse(await readRecording(manager, runId));
  return Buffer.from(JSON.stringify(answer));
}

async function readRecording(manager: EntityManager, runId: string): Promise<Answer> {
  const run = await manager.findOneByOrFail(ExecutorRun, { id: runId });
  const row = await findRow(manager, run.id);
  if (!row) throw new PorinError('no-recording', whyNone(run));
  const recording = row.content === null ? 'it is larger than any' : readStoredRecording(row, row.architecture);
  if (typeof recording === 'string') {
    throw new PorinError('recording-integrity', `What is stored is no recording of a worker: ${recording}.`);
  }
  const versions = await manager.findBy(ProfileVersion, { buildId: run.buildId, state: In(['APPROVED', 'PROPOSED']) });
  const [approved, proposed] = (['APPROVED', 'PROPOSED'] as const).map((of) =>
    versions.find(({ state }) => state === of),
  );
  return {
    ...row,
    ...{ executorRunId: run.id, attemptNumber: run.attemptNumber, position: run.position, buildId: run.buildId },
    monitoring: run.monitoring,
    teaches: row.verdict === 'teaches',
    reason: verdictWords(row.verdict, { ...row, exitCode: run.exitCode }),
    partialReasons: row.partialReasons.map((reason) => ({ reason, text: partialReasonWords(reason) })),
    certificate: recording.certificate,
    approvedProfileId: approved?.id ?? null,
    proposedProfileId: proposed?.id ?? null,
    calls: callsOf(recording, approved, proposed),
    arguments: recording.arguments ?? null,
    peakTasks: recording.peakTasks ?? null,
    files: recording.files ?? null,
    sockets: recording.sockets ?? null,
  };
}

async function findRow(manager: EntityManager, runId: string): Promise<Row | undefined> {
  const rows: Row[] = await manager.query(
    `SELECT recording.digest, CASE WHEN content_bytes <= $2 THEN recording.content END AS content,
       recording.partial_reasons AS "partialReasons", recording.problem, recording.created_at AS "createdAt",
       recording.considered_at AS "consideredAt", build.architecture, ${VERDICT} AS verdict,
       attempt.error_message AS "errorMessage", application.expected_exit_codes AS "expectedExitCodes"
     FROM ${RECORDED_RUNS} WHERE run.id = $1`,
    [runId, RECORDING_MAXIMUM_BYTES],
  );
  return rows[0];
}

function whyNone({ position, monitoring, endedAt }: ExecutorRun): string {
  const ran = `Executor ${position} ran with monitoring "${monitoring}"`;
  if (isTrace(monitoring)) return `${ran}, which makes a trace and no recording: see /trace.`;
  if (monitoring === 'none') return `${ran}, which records nothing.`;
  return endedAt === null
    ? `Executor ${position} has not ended: its recording is written when it has.`
    : `Of executor ${position} there is no recording.`;
}

function callsOf(
  { calls, refused = {} }: Recording,
  approved: ProfileVersion | undefined,
  proposed: ProfileVersion | undefined,
): Answer['calls'] {
  const names = [...new Set([...Object.keys(calls), ...Object.keys(refused)])].sort();
  const [inApproved, inProposed] = [approved, proposed].map(
    (version) => version && holder(parseProfile(version.canonical)),
  );
  return names.map((name) => ({
    name,
    count: calls[name] ?? 0,
    refused: refused[name] ?? {},
    approved: inApproved?.(name) ?? null,
    proposed: inProposed?.(name) ?? null,
  }));
}

function holder(profile: Profile): (name: string) => 'allowed' | 'refused' | 'absent' {
  const allowed = new Set(allowedNames(profile));
  const refused = refusalsByName(profile.rules);
  return (name) => (allowed.has(name) ? 'allowed' : refused.has(name) ? 'refused' : 'absent');
}
