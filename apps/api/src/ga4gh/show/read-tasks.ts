/** Reads what is shown of tasks beyond their state: a fixed number of statements, however many tasks a page has. */
import {
  type AttemptState,
  type InputReference,
  type JobState,
  type OutputReference,
  type TaskDetails,
} from '#lib/jobs';
import { type Enforcement, type Monitoring } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type JobProgress, PROGRESS } from '../../jobs/show/job-progress.js';
import { type View } from './task-answers.js';

/** Everything that a task is shown by. */
export interface TaskRows {
  readonly job: JobRow;
  readonly executors: readonly ExecutorRow[];
  /** The one that decides, then the others, newest first. */
  readonly attempts: readonly AttemptRow[];
  /** Of the attempt that decides, by position. */
  readonly runs: readonly RunRow[];
  /** Those that are in place. */
  readonly outputs: readonly PublishedRow[];
  /** Of the runs; none unless the view has them. */
  readonly streams: readonly StreamRow[];
  /** The same. */
  readonly unwatched: readonly UnwatchedRow[];
}

export interface JobRow {
  readonly id: string;
  readonly state: JobState;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly inputs: readonly InputReference[];
  readonly outputs: readonly OutputReference[];
  readonly volumes: readonly string[] | null;
  readonly task: TaskDetails | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly progress: JobProgress | null;
}

interface OfJob {
  readonly jobId: string;
}

export interface ExecutorRow extends OfJob {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | null;
  readonly stdin: string | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly ignoreError: boolean;
}

export interface AttemptRow extends OfJob {
  readonly number: number;
  readonly node: string;
  readonly state: AttemptState;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** Inputs that the node had already, and bytes of them that it did not fetch. */
  readonly cachedInputs: number;
  readonly cachedBytes: number;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

export interface RunRow extends OfJob {
  readonly id: string;
  readonly position: number;
  readonly enforcement: Enforcement;
  readonly monitoring: Monitoring;
  readonly profileDigest: string | null;
  readonly denials: number;
  readonly wallUs: number | null;
  readonly userUs: number | null;
  readonly systemUs: number | null;
  readonly maxRssBytes: number | null;
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly outcome: string | null;
  /** Null in runs of before it was kept. */
  readonly errorCode: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

export interface PublishedRow extends OfJob {
  readonly path: string;
  readonly url: string;
  readonly bytes: number;
  /** Of its output among those of the job. */
  readonly position: number;
}

export interface StreamRow extends OfJob {
  readonly runId: string;
  readonly kind: 'stdout' | 'stderr';
  /** Of what was printed, the last bytes. */
  readonly content: Buffer;
  /** Kept of the stream. */
  readonly bytes: number;
}

/** What a run of exit code 0 is compared with: those of equal build, inputs and node that were neither watched nor restricted. */
export interface UnwatchedRow extends OfJob {
  readonly runId: string;
  /** Median of their wall times. */
  readonly wallUs: number;
}

const WITHOUT_CONTENT = `(SELECT coalesce(jsonb_agg(given - 'content' ORDER BY place), '[]')
  FROM jsonb_array_elements(inputs) WITH ORDINALITY AS input (given, place))`;
const jobs = (inputs: string) => `SELECT id, state, name, tags, created_at AS "createdAt", ended_at AS "endedAt",
    cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes", ${inputs} AS inputs, outputs, volumes, task,
    error_code AS "errorCode", error_message AS "errorMessage", ${PROGRESS} AS progress
  FROM job WHERE id = ANY ($1::uuid[])`;
const JOBS = { BASIC: jobs(WITHOUT_CONTENT), FULL: jobs('inputs') } as const;

const EXECUTORS = `SELECT job_id AS "jobId", image, command, environment, working_directory AS "workingDirectory",
    stdin, stdout, stderr, ignore_error AS "ignoreError"
  FROM executor WHERE job_id = ANY ($1::uuid[]) ORDER BY job_id, position`;

/** Those after the manifest was stored have run nothing: they put its outputs in place. */
const DECIDES = '(job.publishing_since IS NULL OR attempt.started_at <= job.publishing_since)';

const ATTEMPTS = `SELECT attempt.job_id AS "jobId", attempt.number, node.name AS node, attempt.state, attempt.error_code AS "errorCode",
    attempt.error_message AS "errorMessage", jsonb_array_length(cached_inputs) AS "cachedInputs",
    (SELECT coalesce(sum((told->>'bytes')::numeric), 0)::float8 FROM jsonb_array_elements(cached_inputs) AS told) AS "cachedBytes",
    attempt.started_at AS "startedAt", attempt.ended_at AS "endedAt"
  FROM unnest($1::uuid[]) AS asked (id) JOIN job ON job.id = asked.id CROSS JOIN LATERAL (
    SELECT *, ${DECIDES} AS decides FROM attempt WHERE job_id = job.id ORDER BY decides DESC, number DESC LIMIT $2
  ) AS attempt JOIN node ON node.id = attempt.node_id ORDER BY attempt.job_id, decides DESC, attempt.number DESC`;

const RUNS = `SELECT run.job_id AS "jobId", run.id, run.position, run.enforcement, run.monitoring, version.digest AS "profileDigest",
    (run.denials_dropped + coalesce((SELECT sum(count) FROM denial WHERE executor_run_id = run.id), 0))::float8 AS denials,
    run.wall_us::float8 AS "wallUs", run.user_us::float8 AS "userUs", run.system_us::float8 AS "systemUs",
    run.max_rss_bytes::float8 AS "maxRssBytes", run.exit_code AS "exitCode", run.signal, run.outcome, run.error_code AS "errorCode",
    run.started_at AS "startedAt", run.ended_at AS "endedAt"
  FROM unnest($1::uuid[]) AS asked (id) JOIN job ON job.id = asked.id
  CROSS JOIN LATERAL (SELECT max(number) AS number FROM attempt WHERE job_id = job.id AND ${DECIDES}) AS latest
  JOIN executor_run AS run ON run.job_id = job.id AND run.attempt_number = latest.number
  LEFT JOIN profile_version AS version ON version.id = run.profile_version_id ORDER BY run.job_id, run.position`;

const OUTPUTS = `SELECT job_id AS "jobId", path, url, bytes::float8 AS bytes, position
  FROM job_output WHERE job_id = ANY ($1::uuid[]) AND published_at IS NOT NULL
  ORDER BY path COLLATE "C", position`;

/** Chunks follow one another without gaps, so their offsets alone say which hold the last bytes. No more than these are read. */
const STREAMS = `SELECT run.job_id AS "jobId", run.id AS "runId", artifact.kind, last.bytes::float8 AS bytes, content
  FROM executor_run AS run JOIN artifact ON artifact.executor_run_id = run.id AND artifact.kind IN ('stdout', 'stderr')
  CROSS JOIN LATERAL (
    SELECT byte_offset + octet_length(content) AS bytes FROM artifact_chunk WHERE artifact_id = artifact.id
    ORDER BY byte_offset DESC LIMIT 1
  ) AS last
  CROSS JOIN LATERAL (
    SELECT string_agg(
      substring(chunk.content FROM greatest(last.bytes - $2::bigint - byte_offset + 1, 1)::integer), ''::bytea ORDER BY byte_offset
    ) AS content FROM artifact_chunk AS chunk
    WHERE artifact_id = artifact.id AND byte_offset >= coalesce((
      SELECT max(byte_offset) FROM artifact_chunk WHERE artifact_id = artifact.id AND byte_offset <= last.bytes - $2::bigint), 0)
  ) AS kept
  WHERE run.id = ANY ($1::uuid[])`;

/** Of the unwatched runs that are equal to one, the last ones that are looked at. */
const COMPARED_MAXIMUM = 1_000;
/** Of `other`; the index executor_run_unwatched has just these. */
const IS_UNWATCHED = `other.enforcement = 'none' AND other.monitoring = 'none' AND other.exit_code = 0 AND other.wall_us > 0`;
export const UNWATCHED = `SELECT run.job_id AS "jobId", run.id AS "runId", percentile_cont(0.5) WITHIN GROUP (ORDER BY plain.wall_us) AS "wallUs"
  FROM executor_run AS run CROSS JOIN LATERAL (
    SELECT wall_us FROM executor_run AS other WHERE other.build_id = run.build_id AND other.inputs_digest = run.inputs_digest
      AND other.node_id = run.node_id AND ${IS_UNWATCHED}
    ORDER BY other.started_at DESC LIMIT ${COMPARED_MAXIMUM}
  ) AS plain
  WHERE run.id = ANY ($1::uuid[]) AND run.exit_code = 0 AND (run.enforcement, run.monitoring) <> ('none', 'none')
  GROUP BY run.job_id, run.id`;

/** Of attempts before the one that decides, so many are told of. */
export const EARLIER_ATTEMPTS_MAXIMUM = 20;
/** Of each stream, at its end: where one task is read, and where a page is. */
const STREAM_BYTES = 64 * 1024;
const STREAM_BYTES_OF_PAGE = 4 * 1024;
/** Of each executor, on a page: stdout and stderr. */
export const PRINTED_BYTES_OF_PAGE = 2 * STREAM_BYTES_OF_PAGE;

/** In the order of the ids; jobs that are gone are left out. */
export async function readTasks(
  manager: EntityManager,
  ids: readonly string[],
  view: Exclude<View, 'MINIMAL'>,
): Promise<readonly TaskRows[]> {
  if (ids.length === 0) return [];
  const isFull = view === 'FULL';
  const found: JobRow[] = await manager.query(JOBS[view], [ids]);
  const executors: ExecutorRow[] = await manager.query(EXECUTORS, [ids]);
  // One more than are told of: whether there are more.
  const attempts: AttemptRow[] = await manager.query(ATTEMPTS, [ids, isFull ? EARLIER_ATTEMPTS_MAXIMUM + 2 : 1]);
  const runs: RunRow[] = await manager.query(RUNS, [ids]);
  const outputs: PublishedRow[] = await manager.query(OUTPUTS, [ids]);
  const streamBytes = ids.length === 1 ? STREAM_BYTES : STREAM_BYTES_OF_PAGE;
  const runIds = runs.map(({ id }) => id);
  const streams: StreamRow[] = isFull ? await manager.query(STREAMS, [runIds, streamBytes]) : [];
  const unwatched: UnwatchedRow[] = isFull ? await manager.query(UNWATCHED, [runIds]) : [];
  const byJob = {
    ...{ executors: grouped(executors), attempts: grouped(attempts), runs: grouped(runs) },
    ...{ outputs: grouped(outputs), streams: grouped(streams), unwatched: grouped(unwatched) },
  };
  const jobById = new Map(found.map((job) => [job.id, job]));
  return ids.flatMap((id) => {
    const job = jobById.get(id);
    if (!job) return [];
    return [
      {
        job,
        executors: byJob.executors.get(id) ?? [],
        attempts: byJob.attempts.get(id) ?? [],
        runs: byJob.runs.get(id) ?? [],
        outputs: byJob.outputs.get(id) ?? [],
        streams: byJob.streams.get(id) ?? [],
        unwatched: byJob.unwatched.get(id) ?? [],
      },
    ];
  });
}

function grouped<Row extends OfJob>(rows: readonly Row[]): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(row.jobId);
    if (group) group.push(row);
    else groups.set(row.jobId, [row]);
  }
  return groups;
}
