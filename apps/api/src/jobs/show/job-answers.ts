/** What the job routes take and give. */
import { ARTIFACT_KINDS } from '#lib/database';
import { ATTEMPT_STATES, FILE_TYPES, JOB_STATES, PUBLISH_ON } from '#lib/jobs';
import { ARCHITECTURES, CALL_CLASSES, ENFORCEMENTS, LANDLOCK_STATUSES, MONITORINGS } from '#lib/profiles';
import { z } from 'zod';
import { nextPage, pageQuery } from '../../http/page.js';
import { instant, integerParameter, text, textRecord } from '../../http/text.js';
import { jobProgress } from './job-progress.js';

const tagFilter = text(1200).regex(/^[^=]+=/, 'must be name=value');

export const jobListQuery = z.strictObject({
  state: z.enum(JOB_STATES).optional(),
  application: text(1024).optional().describe('Its name'),
  tag: z
    .union([tagFilter, z.array(tagFilter).max(20)])
    .optional()
    .describe('name=value; given several times, all must hold'),
  namePrefix: text(256).optional(),
  createdAfter: instant().optional(),
  createdBefore: instant().optional(),
  ...pageQuery,
});
export type JobListQuery = z.infer<typeof jobListQuery>;

export const executor = integerParameter(0, 1000).default(0).describe('Position of the executor in the job');
export const attempt = integerParameter(1, 1_000_000)
  .optional()
  .describe('By default the latest attempt that started the executor');
export const logQuery = z.strictObject({
  stream: z.enum(['stdout', 'stderr']).default('stdout'),
  executor,
  offset: integerParameter(0, Number.MAX_SAFE_INTEGER).default(0).describe('First byte wanted'),
});
export type LogQuery = z.infer<typeof logQuery>;
export const traceQuery = z.strictObject({ executor });
export type TraceQuery = z.infer<typeof traceQuery>;

const denialCount = z
  .object({
    count: z.int().describe('Denied calls in all of its runs, those that were let go on under audit included'),
    dropped: z.int().describe('Of them, those beyond the report’s bound, of which nothing else is known'),
    worstClass: z.enum(CALL_CLASSES).nullable().describe('The most authority that one of them gives; null without any'),
  })
  .meta({ id: 'DenialCount' });

const summary = {
  id: z.uuid(),
  name: z.string(),
  state: z.enum(JOB_STATES),
  waitingReason: z.string().nullable().describe('Why it is QUEUED, by code'),
  waitingReasonText: z.string().nullable().describe('The same in words'),
  errorCode: z.string().nullable(),
  errorMessage: z.string().nullable(),
  priority: z.int(),
  architecture: z.enum(ARCHITECTURES),
  tags: textRecord(),
  submittedBy: z.uuid().describe('The principal'),
  rerunOf: z.uuid().nullable().describe('The job that it repeats'),
  denials: denialCount,
  createdAt: z.date(),
  startedAt: z.date().nullable(),
  endedAt: z.date().nullable(),
};

export const jobSummary = z.object(summary).meta({ id: 'JobSummary' });
export const jobList = z.object({ jobs: z.array(jobSummary), next: nextPage }).meta({ id: 'JobList' });

const executorAnswer = z
  .object({
    position: z.int(),
    applicationId: z.uuid(),
    image: z.string(),
    command: z.array(z.string()),
    environment: textRecord(),
    workingDirectory: z.string().nullable(),
    stdin: z.string().nullable(),
    stdout: z.string().nullable(),
    stderr: z.string().nullable(),
    ignoreError: z.boolean(),
    buildId: z.uuid().nullable().describe('Known once a worker has resolved the image'),
  })
  .meta({ id: 'Executor' });

const attemptAnswer = z
  .object({
    number: z.int(),
    nodeId: z.uuid(),
    node: z.string().describe('Its name'),
    state: z.enum(ATTEMPT_STATES),
    errorCode: z.string().nullable(),
    errorMessage: z.string().nullable(),
    cachedInputs: z
      .array(
        z.object({ path: z.string(), bytes: z.int().describe('Not fetched; of a directory, those of some files') }),
      )
      .describe('Inputs that the node had already'),
    startedAt: z.date(),
    endedAt: z.date().nullable(),
  })
  .meta({ id: 'Attempt' });

const denialAnswer = z
  .object({
    call: z.string(),
    arguments: z.array(z.string()).describe('64-bit hexadecimal'),
    action: z.enum(['refused', 'continued', 'killed']),
    errno: z.string().nullable(),
    description: z
      .string()
      .describe('In words; a character that does not show is written \\u{3164}, and a backslash in a text is doubled'),
    count: z.int(),
    class: z
      .enum(CALL_CLASSES)
      .nullable()
      .describe(
        'How much authority the call gives; null for a number without a name that was answered as by any kernel',
      ),
  })
  .meta({ id: 'Denial' });

const artifactAnswer = z
  .object({
    kind: z.enum(ARTIFACT_KINDS).describe('The streams are read with /logs, the trace with /trace'),
    bytes: z.int().describe('Of the trace, compressed; while the run goes on, what is there by now'),
    sha256: z.string().nullable().describe('Null until the run has ended'),
    truncated: z.boolean().describe('There was more than is kept'),
  })
  .meta({ id: 'Artifact' });

const runAnswer = z
  .object({
    id: z.uuid(),
    attemptNumber: z.int(),
    position: z.int(),
    buildId: z.uuid(),
    profileVersionId: z.uuid().nullable(),
    enforcement: z.enum(ENFORCEMENTS),
    monitoring: z.enum(MONITORINGS),
    selectionReason: z.string(),
    phasesMs: z.record(z.string(), z.number()).nullable(),
    wallUs: z.int().nullable(),
    userUs: z.int().nullable(),
    systemUs: z.int().nullable(),
    maxRssBytes: z.int().nullable(),
    voluntarySwitches: z.int().nullable(),
    involuntarySwitches: z.int().nullable(),
    callCount: z.int().nullable(),
    exitCode: z.int().nullable(),
    signal: z.int().nullable(),
    outcome: z.string().nullable(),
    errorCode: z
      .string()
      .nullable()
      .describe(
        'What it ended by, which is the error of its job unless its executor ignores errors; null where nothing was wrong with it',
      ),
    startedAt: z.date(),
    endedAt: z.date().nullable(),
    landlockStatus: z
      .enum(LANDLOCK_STATUSES)
      .describe('How much of the profile’s file rules the node’s kernel held; NOT_ENFORCED where there are none'),
    denials: z.array(denialAnswer).describe('While the run goes on, as of about a second ago'),
    denialsDropped: z.int().describe('Denied calls that are in none of its denials, because the report is bounded'),
    artifacts: z.array(artifactAnswer).describe('Deleted after PORIN_RETENTION_DAYS'),
    recording: z
      .object({ digest: z.string(), partialReasons: z.array(z.string()) })
      .nullable()
      .describe('What it saw is at /recording'),
  })
  .meta({ id: 'ExecutorRun' });

export const jobDetail = z
  .object({
    ...summary,
    fence: z.int().describe('Number of the attempt that may be claimed'),
    failures: z.int(),
    resources: z.object({ cpuMilli: z.int(), memoryBytes: z.int(), diskBytes: z.int(), wallTimeS: z.int() }),
    requestedEnforcement: z.enum(ENFORCEMENTS).nullable(),
    requestedMonitoring: z.enum(MONITORINGS).nullable(),
    cancelRequestedAt: z.date().nullable(),
    publishOn: z.enum(PUBLISH_ON),
    publishingSince: z
      .date()
      .nullable()
      .describe('Since then its outputs are put in place, which is finished in any case: a cancel changes nothing'),
    progress: jobProgress
      .nullable()
      .describe('While inputs are staged, as of some seconds ago, or outputs put in place; null at other times'),
    executors: z.array(executorAnswer),
    secrets: z.array(z.string()).describe('Names of those that it may use'),
    inputs: z.array(
      z.object({
        name: z.string().optional(),
        path: z.string(),
        url: z.string().optional(),
        type: z.enum(FILE_TYPES).optional(),
        sha256: z.string().optional(),
        contentBytes: z.int().optional().describe('Size of the content that was submitted instead of a url'),
      }),
    ),
    outputs: z.array(
      z.object({
        name: z.string().optional(),
        path: z.string(),
        url: z.string(),
        type: z.enum(FILE_TYPES).optional(),
        pathPrefix: z.string().optional(),
        sha256: z
          .string()
          .nullable()
          .describe('Null while it is not in place, however the job ended, and of many files'),
        bytes: z.int().nullable(),
        publishedAt: z.date().nullable(),
        files: z
          .array(
            z.object({ path: z.string(), url: z.string(), sha256: z.string(), bytes: z.int(), publishedAt: z.date() }),
          )
          .optional()
          .describe('Of a directory or pattern: those that are in place'),
      }),
    ),
    volumes: z.array(z.string()).describe('Directories that the executors share'),
    attempts: z.array(attemptAnswer),
    runs: z.array(runAnswer),
  })
  .meta({ id: 'Job' });
