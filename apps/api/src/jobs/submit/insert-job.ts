/** Writes a job, its executors and its place in the queue; the same Idempotency-Key gives the same job. */
import { createHash } from 'node:crypto';
import { type Application, type Executor, type Job } from '#lib/database';
import { MAXIMUM_PRIORITIES, uuidV7, type WaitingReason } from '#lib/jobs';
import { type Monitoring, MONITORINGS } from '#lib/profiles';
import { enqueue } from '#lib/store';
import { type DataSource, type EntityManager } from 'typeorm';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { staleFacts } from '../../facts/facts.js';
import { type HeldTo, type SubmissionFacts } from '../../facts/submission-facts.js';
import { requireRoomForJob, storageFull, tooManyJobs } from '../../tenant/require-room.js';
import { checkReferences } from './check-references.js';
import { claimOutputs } from './claim-outputs.js';
import { refuseEarly } from './refuse-early.js';
import { type SendSubmission, sendSubmission, type SubmissionBatches } from './send-submissions.js';

export interface SubmissionPlace {
  readonly dataSource: DataSource;
  readonly facts: SubmissionFacts;
  /** What one statement writes, with others that come at the same time. */
  readonly batches: SubmissionBatches;
}

/** Where a job is written. */
export interface Writer {
  readonly manager: EntityManager;
  readonly send: SendSubmission;
}

/** Within a transaction. */
export function writerIn(manager: EntityManager): Writer {
  return { manager, send: (sent) => sendSubmission(manager, sent) };
}

export interface Submitter {
  readonly caller: Caller;
  /** The version of the facts that the caller, and what the submission is held to, are of. */
  readonly asOf: string;
  readonly idempotencyKey: string | undefined;
}

/** Who submits, and what it is held to. */
export interface Submission extends Submitter {
  readonly heldTo: HeldTo;
  /** Names. */
  readonly usableSecrets: ReadonlySet<string>;
}

/** `known`: the Idempotency-Key was seen before. */
export type WrittenJob = CreatedJob | { readonly kind: 'known'; readonly id: string };

export interface CreatedJob {
  readonly kind: 'created';
  readonly id: string;
  readonly createdAt: Date;
  readonly waitingReason: WaitingReason;
  readonly order: JobOrder;
}

/** What a job's row says of what was asked for. */
export type JobFields = Pick<
  Job,
  | 'name'
  | 'priority'
  | 'architecture'
  | 'cpuMilli'
  | 'memoryBytes'
  | 'diskBytes'
  | 'wallTimeS'
  | 'inputs'
  | 'outputs'
  | 'volumes'
  | 'publishOn'
  | 'tags'
  | 'requestedEnforcement'
  | 'requestedMonitoring'
  | 'rerunOf'
  | 'secrets'
  | 'task'
>;

export interface NewExecutor {
  readonly application: Application;
  readonly executor: Pick<
    Executor,
    'image' | 'command' | 'environment' | 'workingDirectory' | 'stdin' | 'stdout' | 'stderr' | 'ignoreError'
  >;
}

export interface JobOrder {
  readonly fields: JobFields;
  readonly executors: readonly NewExecutor[];
  /** Equal requests have equal text. */
  readonly requestText: string;
  /** Of a TES task that may be repeated while its answer is not written: equal for equal requests. */
  readonly repeatDigest?: string | undefined;
}

/**
 * The job is the caller's. Where it has outputs, which takes more than one statement, `manager` is that of a transaction, and
 * `send` writes within it. Throws
 * priority-not-allowed, unknown-secret, idempotency-conflict when the key was used for another request, and what refuseEarly and
 * checkReferences throw: last, because a job that was taken once is answered with itself whatever has changed since.
 */
export async function insertJob(
  { manager, send }: Writer,
  submission: Submission,
  order: JobOrder,
): Promise<WrittenJob> {
  const { caller, heldTo, asOf, idempotencyKey } = submission;
  const { bounds } = heldTo;
  const { fields, executors } = order;
  requirePriority(caller, fields.priority);
  const requestDigest = `sha256:${createHash('sha256').update(order.requestText).digest('hex')}`;
  const requestBytes = Buffer.byteLength(JSON.stringify([fields, executors.map(({ executor }) => executor)]));
  let areReferencesFine = false;
  let needsMonitoring: Monitoring | null;
  try {
    checkReferences(fields, heldTo.prefixes);
    requireUsable(submission, fields.secrets ?? []);
    areReferencesFine = true;
    needsMonitoring = monitoringNeeded(submission, order);
  } catch (refusal) {
    const earlier = idempotencyKey === undefined ? undefined : await findEarlier(manager, submission);
    if (earlier) return sameJob(submission, earlier, requestDigest);
    if (areReferencesFine) await requireRoomForJob(manager, caller.tenant, bounds, requestBytes);
    throw refusal;
  }
  const hasOutputs = fields.outputs.length > 0;
  const answer = await send({
    asOf,
    submission: {
      job: {
        id: uuidV7(),
        tenant: caller.tenant,
        submitted_by: caller.principalId,
        submitted_role: caller.role,
        idempotency_key: idempotencyKey,
        request_digest: requestDigest,
        request_bytes: requestBytes,
        name: fields.name,
        priority: fields.priority,
        architecture: fields.architecture,
        cpu_milli: fields.cpuMilli,
        memory_bytes: fields.memoryBytes,
        disk_bytes: fields.diskBytes,
        wall_time_s: fields.wallTimeS,
        inputs: fields.inputs,
        outputs: fields.outputs,
        volumes: fields.volumes,
        publish_on: fields.publishOn,
        tags: fields.tags,
        requested_enforcement: fields.requestedEnforcement,
        requested_monitoring: fields.requestedMonitoring,
        needs_monitoring: needsMonitoring,
        rerun_of: fields.rerunOf,
        task: fields.task,
        secrets: fields.secrets,
      },
      executors: executors.map(({ application, executor }, position) => ({
        position,
        application_id: application.id,
        image: executor.image,
        command: executor.command,
        environment: executor.environment,
        working_directory: executor.workingDirectory,
        stdin: executor.stdin,
        stdout: executor.stdout,
        stderr: executor.stderr,
        ignore_error: executor.ignoreError,
      })),
      isQueued: !hasOutputs,
      repeatDigest: order.repeatDigest,
      bounds: heldTo.isFarFromBounds ? null : { openJobs: bounds.maxQueuedJobs, storedBytes: bounds.maxStoredBytes },
    },
  });
  const { outcome, id, createdAt } = answer;
  if (outcome === 'known') return sameJob(submission, answer, requestDigest);
  if (outcome === 'too-many-jobs') throw tooManyJobs(bounds);
  if (outcome === 'tenant-storage-full') throw storageFull(bounds, answer.usedBytes);
  if (outcome === 'stale') throw staleFacts();
  const waitingReason = hasOutputs ? await queueWithOutputs(manager, id, fields) : 'waiting-for-slot';
  return { kind: 'created', id, createdAt, waitingReason, order };
}

async function queueWithOutputs(manager: EntityManager, id: string, fields: JobFields): Promise<WaitingReason> {
  if (await claimOutputs(manager, id, fields.outputs)) {
    const waitingReason = 'waiting-for-output' satisfies WaitingReason;
    await manager.query('UPDATE job SET waiting_reason = $2 WHERE id = $1', [id, waitingReason]);
    return waitingReason;
  }
  await enqueue(manager, [{ id }]);
  return 'waiting-for-slot';
}

function requirePriority({ role }: Caller, priority: number): void {
  const maximum = MAXIMUM_PRIORITIES[role];
  if (priority <= maximum) return;
  throw new PorinError('priority-not-allowed', `Priorities above ${maximum} are not for the role ${role}.`);
}

function requireUsable({ usableSecrets }: Submission, names: readonly string[]): void {
  const name = names.find((each) => !usableSecrets.has(each));
  if (name === undefined) return;
  throw new PorinError('unknown-secret', `There is no secret called "${name}" that your jobs may name.`);
}

/** Whoever offers it offers those before it too, or fails the job at no cost to it. */
function monitoringNeeded({ heldTo, caller }: Submission, { fields, executors }: JobOrder): Monitoring | null {
  const { architecture, requestedEnforcement, requestedMonitoring } = fields;
  const request = {
    architecture,
    ...(requestedEnforcement !== null && { enforcement: requestedEnforcement }),
    ...(requestedMonitoring !== null && { monitoring: requestedMonitoring }),
  };
  const needs = executors.map(({ application }) => refuseEarly(heldTo, caller, request, application));
  return MONITORINGS.filter((monitoring) => needs.includes(monitoring)).at(-1) ?? null;
}

interface Earlier {
  readonly id: string;
  readonly digest: string;
}

async function findEarlier(manager: EntityManager, { caller, idempotencyKey }: Submission) {
  const [earlier]: (Earlier | undefined)[] = await manager.query(
    'SELECT id, request_digest AS digest FROM job WHERE submitted_by = $1 AND idempotency_key = $2',
    [caller.principalId, idempotencyKey],
  );
  return earlier;
}

function sameJob({ idempotencyKey }: Submission, { id, digest }: Earlier, requestDigest: string): WrittenJob {
  if (digest === requestDigest) return { kind: 'known', id };
  throw new PorinError(
    'idempotency-conflict',
    `The Idempotency-Key ${idempotencyKey} was used for another request (job ${id}).`,
  );
}
