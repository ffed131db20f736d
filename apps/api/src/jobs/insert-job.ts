/** Writes a job, its executors and its place in the queue in one transaction; the same Idempotency-Key gives the same job. */
import { createHash } from 'node:crypto';
import { type Application, Executor, Job } from '#lib/database';
import { MAXIMUM_PRIORITIES, type WaitingReason } from '#lib/jobs';
import { type Monitoring, MONITORINGS } from '#lib/profiles';
import { enqueue } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { type GridPrefixes } from '../tenant/tenant-prefixes.js';
import { checkReferences } from './check-references.js';
import { claimOutputs } from './claim-outputs.js';
import { requireRoomForJob } from '../tenant/require-room.js';
import { refuseEarly } from './refuse-early.js';

export interface WrittenJob {
  readonly id: string;
  /** False when the Idempotency-Key was seen before. */
  readonly created: boolean;
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
  | 'publishOn'
  | 'tags'
  | 'requestedEnforcement'
  | 'requestedMonitoring'
  | 'rerunOf'
>;

export interface NewExecutor {
  readonly application: Application;
  readonly executor: Pick<Executor, 'image' | 'command' | 'environment' | 'workingDirectory'>;
}

export interface JobOrder {
  readonly fields: JobFields;
  readonly executors: readonly NewExecutor[];
  /** Equal requests have equal text. */
  readonly requestText: string;
  readonly idempotencyKey: string | undefined;
  readonly grid: GridPrefixes;
}

/**
 * The job is the caller's. Throws priority-not-allowed, idempotency-conflict when the key was used for another request, and what refuseEarly and
 * checkReferences throw: last, because a job that was taken once is answered with itself whatever has changed since.
 */
export async function insertJob(manager: EntityManager, caller: Caller, order: JobOrder): Promise<WrittenJob> {
  const { fields, executors, idempotencyKey } = order;
  requirePriority(caller, fields.priority);
  const requestDigest = `sha256:${createHash('sha256').update(order.requestText).digest('hex')}`;
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(Job)
    .values({
      ...fields,
      tenant: caller.tenant,
      submittedBy: caller.principalId,
      submittedRole: caller.role,
      idempotencyKey: idempotencyKey ?? null,
      requestDigest,
      requestBytes: Buffer.byteLength(JSON.stringify([fields, executors.map(({ executor }) => executor)])),
      waitingReason: 'waiting-for-slot' satisfies WaitingReason,
    })
    .orIgnore()
    .returning('id')
    .execute();
  const id = (inserted.raw as { id: string }[])[0]?.id;
  if (id === undefined) return findEarlier(manager, caller, idempotencyKey ?? '', requestDigest);
  await checkReferences(manager, caller.tenant, fields, order.grid);
  await requireRoomForJob(manager, caller.tenant);
  const request = {
    architecture: fields.architecture,
    ...(fields.requestedEnforcement !== null && { enforcement: fields.requestedEnforcement }),
    ...(fields.requestedMonitoring !== null && { monitoring: fields.requestedMonitoring }),
  };
  const needs: (Monitoring | null)[] = [];
  for (const { application } of executors) needs.push(await refuseEarly(manager, caller, request, application));
  const needsMonitoring = mostDetailed(needs);
  if (needsMonitoring !== null) await manager.update(Job, { id }, { needsMonitoring });
  await manager.insert(
    Executor,
    executors.map(({ application, executor }, position) => ({
      ...executor,
      ...{ applicationId: application.id, jobId: id, position },
    })),
  );
  if (await claimOutputs(manager, id, fields.outputs)) {
    await manager.update(Job, { id }, { waitingReason: 'waiting-for-output' satisfies WaitingReason });
  } else {
    await enqueue(manager, [{ id }]);
  }
  return { id, created: true };
}

function requirePriority({ role }: Caller, priority: number): void {
  const maximum = MAXIMUM_PRIORITIES[role];
  if (priority <= maximum) return;
  throw new PorinError('priority-not-allowed', `Priorities above ${maximum} are not for the role ${role}.`);
}

/** Whoever offers it offers those before it too, or fails the job at no cost to it. */
function mostDetailed(needs: readonly (Monitoring | null)[]): Monitoring | null {
  return MONITORINGS.filter((monitoring) => needs.includes(monitoring)).at(-1) ?? null;
}

async function findEarlier(manager: EntityManager, caller: Caller, key: string, digest: string): Promise<WrittenJob> {
  const earlier = await manager.findOneByOrFail(Job, { submittedBy: caller.principalId, idempotencyKey: key });
  if (earlier.requestDigest !== digest) {
    throw new PorinError(
      'idempotency-conflict',
      `The Idempotency-Key ${key} was used for another request (job ${earlier.id}).`,
    );
  }
  return { id: earlier.id, created: false };
}
