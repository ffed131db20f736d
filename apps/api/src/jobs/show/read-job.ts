/** Reads the answer to "what of this job?" as JSON that is finished. */
import { rowsOf } from '#lib/database';
import { type DataSource } from 'typeorm';
import { type Caller } from '../../auth/caller.js';
import { type Finished, finished } from '../../openapi/answers.js';
import { noSuchJob, onlySubmitter } from './find-jobs.js';
import { type jobDetail } from './job-answers.js';
import { PROGRESS } from './job-progress.js';
import { IS_IN_QUEUE, type Waiting, WAITING, whyItWaits } from './why-they-wait.js';
import { withDenials } from './with-denials.js';

/** As `JSON.stringify` writes a Date. */
const instant = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** `json_build_object` of SQL by name; a function takes at most 100 arguments. */
function object(members: Readonly<Record<string, string>>): string {
  return `json_build_object(${Object.entries(members)
    .map(([name, sql]) => `'${name}', ${sql}`)
    .join(', ')})`;
}

const list = (element: string, from: string, order: string): string =>
  `(SELECT coalesce(json_agg(${element} ORDER BY ${order}), '[]') FROM ${from})`;

const EXECUTORS = list(
  object({
    position: 'position',
    applicationId: 'application_id',
    image: 'image',
    command: 'command',
    environment: 'environment',
    workingDirectory: 'working_directory',
    stdin: 'stdin',
    stdout: 'stdout',
    stderr: 'stderr',
    ignoreError: 'ignore_error',
    buildId: 'build_id',
  }),
  'executor WHERE job_id = job.id',
  'position',
);

const INPUTS = list(
  `given - 'content' || CASE WHEN given ? 'content'
     THEN jsonb_build_object('contentBytes', octet_length(given->>'content')) ELSE '{}' END`,
  'jsonb_array_elements(job.inputs) WITH ORDINALITY AS input (given, place)',
  'place',
);

const IS_SELECTION = `(given ? 'pathPrefix' OR given->>'type' IS NOT DISTINCT FROM 'DIRECTORY')`;
/** Of an output, those of its files that are in place. */
const IN_PLACE = 'job_output WHERE job_id = job.id AND position = place - 1 AND published_at IS NOT NULL';

/** Of an output that is a directory or a pattern, in the order of their bytes. */
const FILES = list(
  object({ path: 'path', url: 'url', sha256: 'sha256', bytes: 'bytes', publishedAt: instant('published_at') }),
  IN_PLACE,
  'path COLLATE "C"',
);

const OUTPUTS = list(
  `given || jsonb_build_object('sha256', sha256, 'bytes', bytes, 'publishedAt', ${instant('published_at')})
     || CASE WHEN ${IS_SELECTION} THEN jsonb_build_object('files', ${FILES}) ELSE '{}' END`,
  `jsonb_array_elements(job.outputs) WITH ORDINALITY AS output (given, place)
   LEFT JOIN LATERAL (
     SELECT sha256, bytes, published_at FROM ${IN_PLACE} AND NOT ${IS_SELECTION} LIMIT 1
   ) AS published ON true`,
  'place',
);

const CACHED_INPUTS = list(
  object({ path: `job.inputs->(told->>'input')::int->'path'`, bytes: `told->'bytes'` }),
  'jsonb_array_elements(attempt.cached_inputs) WITH ORDINALITY AS cached (told, place)',
  'place',
);

const ATTEMPTS = list(
  object({
    number: 'attempt.number',
    nodeId: 'node_id',
    node: 'node.name',
    state: 'attempt.state',
    errorCode: 'error_code',
    errorMessage: 'error_message',
    cachedInputs: CACHED_INPUTS,
    startedAt: instant('attempt.started_at'),
    endedAt: instant('attempt.ended_at'),
  }),
  'attempt JOIN node ON node.id = node_id WHERE job_id = job.id',
  'attempt.number',
);

/** The row has its size when the run has ended; until then the chunks tell. */
const ARTIFACTS = list(
  object({
    kind: 'kind',
    bytes: `CASE WHEN sha256 IS NULL
      THEN coalesce((SELECT max(byte_offset + octet_length(content)) FROM artifact_chunk WHERE artifact_id = artifact.id), 0)
      ELSE bytes END`,
    sha256: 'sha256',
    truncated: 'truncated',
  }),
  'artifact WHERE executor_run_id = run.id',
  `array_position(ARRAY['stdout', 'stderr', 'trace'], kind)`,
);

/** Without their denials. */
const RUNS = list(
  object({
    id: 'run.id',
    attemptNumber: 'attempt_number',
    position: 'position',
    buildId: 'build_id',
    profileVersionId: 'profile_version_id',
    enforcement: 'enforcement',
    monitoring: 'monitoring',
    selectionReason: 'selection_reason',
    phasesMs: 'phases_ms',
    wallUs: 'wall_us',
    userUs: 'user_us',
    systemUs: 'system_us',
    maxRssBytes: 'max_rss_bytes',
    voluntarySwitches: 'voluntary_switches',
    involuntarySwitches: 'involuntary_switches',
    callCount: 'call_count',
    exitCode: 'exit_code',
    signal: 'signal',
    outcome: 'outcome',
    errorCode: 'error_code',
    startedAt: instant('started_at'),
    endedAt: instant('ended_at'),
    landlockStatus: 'landlock_status',
    denials: `'[]'::json`,
    denialsDropped: 'denials_dropped',
    artifacts: ARTIFACTS,
    recording: `CASE WHEN recording.digest IS NOT NULL
      THEN json_build_object('digest', recording.digest, 'partialReasons', partial_reasons) END`,
  }),
  'executor_run AS run LEFT JOIN recording ON executor_run_id = run.id WHERE job_id = job.id',
  'attempt_number, position',
);

/** The schema of jobDetail, member by member, but for waitingReasonText and denials. */
const DETAIL = object({
  id: 'job.id',
  name: 'job.name',
  state: 'job.state',
  waitingReason: 'waiting_reason',
  errorCode: 'error_code',
  errorMessage: 'error_message',
  priority: 'priority',
  architecture: 'architecture',
  tags: 'tags',
  submittedBy: 'submitted_by',
  rerunOf: 'rerun_of',
  denials: `'{"count":0,"dropped":0,"worstClass":null}'::json`,
  createdAt: instant('created_at'),
  startedAt: instant('started_at'),
  endedAt: instant('ended_at'),
  fence: 'fence',
  failures: 'failures',
  resources: object({
    cpuMilli: 'cpu_milli',
    memoryBytes: 'memory_bytes',
    diskBytes: 'disk_bytes',
    wallTimeS: 'wall_time_s',
  }),
  requestedEnforcement: 'requested_enforcement',
  requestedMonitoring: 'requested_monitoring',
  cancelRequestedAt: instant('cancel_requested_at'),
  publishOn: 'publish_on',
  publishingSince: instant('publishing_since'),
  progress: PROGRESS,
  executors: EXECUTORS,
  secrets: `coalesce(to_json(secrets), '[]')`,
  inputs: INPUTS,
  outputs: OUTPUTS,
  volumes: `coalesce(to_json(volumes), '[]')`,
  attempts: ATTEMPTS,
  runs: RUNS,
});

const HAS_DENIALS = `EXISTS (SELECT FROM executor_run AS run WHERE job_id = job.id
  AND (denials_dropped > 0 OR EXISTS (SELECT FROM denial WHERE executor_run_id = run.id)))`;

/** A row also where there is no such job. Without a semicolon, so that it is prepared. */
const READ = `SELECT last_value::text AS version, found.body, found."hasDenials", found."waitingReason", found.waiting
  FROM porin.fact_version LEFT JOIN LATERAL (
    SELECT ${DETAIL}::text AS body, ${HAS_DENIALS} AS "hasDenials", waiting_reason AS "waitingReason",
      CASE WHEN ${IS_IN_QUEUE} THEN (
        SELECT row_to_json(waiting) FROM (SELECT ${WAITING} WHERE job.id = $1) AS waiting
      ) END AS waiting
    FROM job WHERE job.id = $1 AND job.tenant = $2 AND ($3::uuid IS NULL OR job.submitted_by = $3)
  ) AS found ON true`;

interface Row {
  readonly version: string;
  /** Null: there is no such job that the caller may see. */
  readonly body: string | null;
  readonly hasDenials: boolean | null;
  readonly waitingReason: string | null;
  readonly waiting: Waiting | null;
}

export interface ReadJob {
  /** Of the facts, when the job was read. */
  readonly version: string;
  /** Throws not-found, for a job that the caller may not see too. */
  readonly answer: () => Promise<Finished<typeof jobDetail>>;
}

/** By one statement, and more for a job that was refused calls. */
export async function readJob(dataSource: DataSource, caller: Caller, id: string): Promise<ReadJob> {
  const [row] = await rowsOf<Row>(dataSource, READ, [id, caller.tenant, onlySubmitter(caller)]);
  if (!row) throw new Error('the database did not answer');
  const { version, body, hasDenials, waitingReason, waiting } = row;
  const answer = async () => {
    if (body === null) throw noSuchJob(id);
    const why = JSON.stringify(whyItWaits(waitingReason, waiting));
    const job = `{"waitingReasonText": ${why}, ${body.slice(1)}`;
    return finished<typeof jobDetail>(hasDenials ? await withDenials(dataSource.manager, job) : job);
  };
  return { version, answer };
}
