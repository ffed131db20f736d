/** Everything there is to say about one job: its executors, attempts, runs, denials, recordings and outputs. */
import {
  type ArtifactKind,
  Attempt,
  DenialRow,
  Executor,
  ExecutorRun,
  type Job,
  JobOutput,
  NodeRow,
  RecordingRow,
} from '#lib/database';
import { type InputReference, isSelection, type OutputReference, WAITING_REASONS } from '#lib/jobs';
import { denialClass } from '#lib/profiles';
import { type EntityManager, In, IsNull, Not } from 'typeorm';
import { z } from 'zod';
import { type Caller } from '../../auth/caller.js';
import { countDenials, NO_DENIALS } from './count-denials.js';
import { type CreatedJob } from '../submit/insert-job.js';
import { type jobDetail } from './job-answers.js';
import { type JobProgress, PROGRESS } from './job-progress.js';
import { whyTheyWait } from './why-they-wait.js';

/** Denials that one answer holds per run, at most. */
const DENIALS_MAXIMUM = 1000;

type JobDetail = z.input<typeof jobDetail>;
/** Written by the worker: whatever else it holds, these are shown. */
const denialShape = z.object({
  arguments: z.array(z.string()).catch([]),
  errno: z.string().nullable().catch(null),
  architecture: z.string().optional().catch(undefined),
});

export async function describeJob(manager: EntityManager, job: Job): Promise<JobDetail> {
  const jobId = job.id;
  const executors = await manager.find(Executor, { where: { jobId }, order: { position: 'ASC' } });
  const attempts = await manager.find(Attempt, { where: { jobId }, order: { number: 'ASC' } });
  const nodes = await manager.findBy(NodeRow, { id: In(attempts.map(({ nodeId }) => nodeId)) });
  const published = await manager.findBy(JobOutput, { jobId, publishedAt: Not(IsNull()) });
  const { cpuMilli, memoryBytes, diskBytes, wallTimeS } = job;
  return {
    ...job,
    waitingReasonText: (await whyTheyWait(manager, [job]))(job),
    denials: (await countDenials(manager, [jobId]))(jobId),
    resources: { cpuMilli, memoryBytes, diskBytes, wallTimeS },
    progress: await progressOf(manager, jobId),
    executors,
    volumes: job.volumes ?? [],
    secrets: job.secrets ?? [],
    inputs: job.inputs.map(shownInput),
    outputs: job.outputs.map((output, index) => {
      if (isSelection(output)) return { ...output, ...NOT_IN_PLACE, files: filesOf(published, index) };
      const found = published.find(({ path }) => path === output.path);
      const { sha256 = null, bytes = null, publishedAt = null } = found ?? {};
      return { ...output, sha256, bytes, publishedAt };
    }),
    attempts: attempts.map((attempt) => ({
      ...attempt,
      node: nodes.find(({ id }) => id === attempt.nodeId)?.name ?? '',
    })),
    runs: await runsOf(manager, job),
  };
}

async function progressOf(manager: EntityManager, jobId: string): Promise<JobProgress | null> {
  const [row] = await manager.query<{ progress: JobProgress | null }[]>(
    `SELECT ${PROGRESS} AS progress FROM job WHERE id = $1`,
    [jobId],
  );
  return row?.progress ?? null;
}

const NOT_IN_PLACE = { sha256: null, bytes: null, publishedAt: null };

/** Of an output that is a directory or a pattern, by its place in the job. */
function filesOf(published: readonly JobOutput[], output: number): NonNullable<JobDetail['outputs'][number]['files']> {
  return published
    .flatMap(({ position, path, url, sha256, bytes, publishedAt }) =>
      position === output && publishedAt ? [{ path, url, sha256, bytes, publishedAt }] : [],
    )
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * A job that was made just now, without a look at the database. It has what the schema has, and nothing else. Member by member: V8
 * keeps objects that are made by spreading others until it has collected all of its memory, and every submission makes one.
 */
export function describeNewJob({ principalId }: Caller, made: CreatedJob): JobDetail {
  const { id, createdAt, waitingReason, order } = made;
  const { fields } = order;
  const { cpuMilli, memoryBytes, diskBytes, wallTimeS } = fields;
  return {
    id,
    name: fields.name,
    priority: fields.priority,
    architecture: fields.architecture,
    tags: fields.tags,
    publishOn: fields.publishOn,
    requestedEnforcement: fields.requestedEnforcement,
    requestedMonitoring: fields.requestedMonitoring,
    rerunOf: fields.rerunOf,
    createdAt,
    state: 'QUEUED',
    waitingReason,
    // The dispatcher has not looked at it yet.
    waitingReasonText: WAITING_REASONS[waitingReason],
    errorCode: null,
    errorMessage: null,
    submittedBy: principalId,
    denials: NO_DENIALS,
    startedAt: null,
    endedAt: null,
    fence: 1,
    failures: 0,
    resources: { cpuMilli, memoryBytes, diskBytes, wallTimeS },
    cancelRequestedAt: null,
    publishingSince: null,
    progress: null,
    executors: order.executors.map(({ application, executor }, position) => ({
      position,
      applicationId: application.id,
      image: executor.image,
      command: executor.command,
      environment: executor.environment,
      workingDirectory: executor.workingDirectory,
      stdin: executor.stdin,
      stdout: executor.stdout,
      stderr: executor.stderr,
      ignoreError: executor.ignoreError,
      buildId: null,
    })),
    secrets: fields.secrets ?? [],
    inputs: fields.inputs.map(shownInput),
    outputs: fields.outputs.map(newOutput),
    volumes: fields.volumes ?? [],
    attempts: [],
    runs: [],
  };
}

function newOutput(output: OutputReference): JobDetail['outputs'][number] {
  if (!isSelection(output)) return { ...output, sha256: null, bytes: null, publishedAt: null };
  return { ...output, sha256: null, bytes: null, publishedAt: null, files: [] };
}

/** Content that was sent instead of a URL may be large. */
function shownInput({ content, ...input }: InputReference) {
  return { ...input, ...(content === undefined ? {} : { contentBytes: Buffer.byteLength(content) }) };
}

async function runsOf(manager: EntityManager, job: Job): Promise<JobDetail['runs']> {
  const jobId = job.id;
  const runs = await manager.find(ExecutorRun, { where: { jobId }, order: { attemptNumber: 'ASC', position: 'ASC' } });
  const recordings = await manager.find(RecordingRow, {
    where: { executorRunId: In(runs.map(({ id }) => id)) },
    select: { executorRunId: true, digest: true, partialReasons: true },
  });
  return Promise.all(
    runs.map(async (run) => ({
      ...run,
      denials: await denialsOf(manager, run.id, job.architecture),
      artifacts: await artifactsOf(manager, run.id),
      recording: recordings.find(({ executorRunId }) => executorRunId === run.id) ?? null,
    })),
  );
}

async function denialsOf(
  manager: EntityManager,
  executorRunId: string,
  ours: Job['architecture'],
): Promise<JobDetail['runs'][number]['denials']> {
  const rows = await manager.find(DenialRow, {
    where: { executorRunId },
    order: { position: 'ASC' },
    take: DENIALS_MAXIMUM,
  });
  return rows.map(({ shape, ...denial }) => {
    const { architecture = ours, ...rest } = denialShape.parse(shape);
    return { ...denial, ...rest, class: denialClass({ call: denial.call, architecture, errno: rest.errno }) };
  });
}

/** The row has its size when the run has ended; until then the chunks tell. */
function artifactsOf(
  manager: EntityManager,
  executorRunId: string,
): Promise<{ kind: ArtifactKind; bytes: number; sha256: string | null; truncated: boolean }[]> {
  return manager.query(
    `SELECT kind, sha256, truncated, CASE WHEN sha256 IS NULL
         THEN coalesce((SELECT max(byte_offset + octet_length(content)) FROM artifact_chunk WHERE artifact_id = artifact.id), 0)
         ELSE bytes END::float8 AS bytes
     FROM artifact WHERE executor_run_id = $1 ORDER BY array_position(ARRAY['stdout', 'stderr', 'trace'], kind)`,
    [executorRunId],
  );
}
