/** What is said of a job that was made just now: what `readJob` would say of it. */
import { type InputReference, isSelection, type OutputReference, WAITING_REASONS } from '#lib/jobs';
import { type z } from 'zod';
import { type Caller } from '../../auth/caller.js';
import { NO_DENIALS } from './count-denials.js';
import { type CreatedJob } from '../submit/insert-job.js';
import { type jobDetail } from './job-answers.js';

type JobDetail = z.input<typeof jobDetail>;

/**
 * Without a look at the database. It has what the schema has, and nothing else. Member by member: V8 keeps objects that are
 * made by spreading others until it has collected all of its memory, and every submission makes one.
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
