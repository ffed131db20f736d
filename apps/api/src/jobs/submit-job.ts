/** Writes a job, its executors and its outbox row in one transaction; the same Idempotency-Key gives the same job. */
import { createHash } from 'node:crypto';
import { Application, Executor, Job, Outbox } from '#lib/database';
import { adhocApplicationName, type WaitingReason } from '#lib/jobs';
import { nodeArchitecture } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { type JobRequest } from './job-schema.js';
import { refuseEarly } from './refuse-early.js';

const OUR_ARCHITECTURE = nodeArchitecture(process.arch);

export interface Submitted {
  readonly id: string;
  /** False when the Idempotency-Key was seen before. */
  readonly created: boolean;
}

/**
 * Throws unknown-application, idempotency-conflict when the key was used for another request, and what refuseEarly throws:
 * last, because a job that was taken once is answered with itself whatever has changed since.
 */
export async function submitJob(
  manager: EntityManager,
  caller: Caller,
  request: JobRequest,
  idempotencyKey: string | undefined,
): Promise<Submitted> {
  // The schema parses fields in one order, so equal requests have equal text.
  const requestDigest = `sha256:${createHash('sha256').update(JSON.stringify(request)).digest('hex')}`;
  const resolved = await Promise.all(request.executors.map((executor) => resolveExecutor(manager, caller, executor)));
  const { architecture = OUR_ARCHITECTURE } = request;
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(Job)
    .values({
      tenant: caller.tenant,
      submittedBy: caller.keyId,
      submittedRole: caller.role,
      idempotencyKey: idempotencyKey ?? null,
      requestDigest,
      name: request.name,
      waitingReason: 'waiting-for-slot' satisfies WaitingReason,
      priority: request.priority,
      architecture,
      cpuMilli: request.resources.cpuMilli,
      memoryBytes: request.resources.memoryBytes,
      diskBytes: request.resources.diskBytes,
      wallTimeS: request.resources.wallTimeS,
      inputs: request.inputs,
      outputs: request.outputs,
      tags: request.tags,
      requestedEnforcement: request.enforcement ?? null,
      requestedMonitoring: request.monitoring ?? null,
    })
    .orIgnore()
    .returning('id')
    .execute();
  const id = (inserted.raw as { id: string }[])[0]?.id;
  if (id === undefined) return findEarlier(manager, caller, idempotencyKey ?? '', requestDigest);
  for (const { application } of resolved) await refuseEarly(manager, caller, { ...request, architecture }, application);
  await manager.insert(
    Executor,
    resolved.map(({ executor }, position) => ({ ...executor, jobId: id, position })),
  );
  await manager.insert(Outbox, { jobId: id, attemptNumber: 1 });
  return { id, created: true };
}

async function findEarlier(manager: EntityManager, caller: Caller, key: string, digest: string): Promise<Submitted> {
  const earlier = await manager.findOneByOrFail(Job, { tenant: caller.tenant, idempotencyKey: key });
  if (earlier.requestDigest !== digest) {
    throw new PorinError(
      'idempotency-conflict',
      `The Idempotency-Key ${key} was used for another request (job ${earlier.id}).`,
    );
  }
  return { id: earlier.id, created: false };
}

async function resolveExecutor(manager: EntityManager, caller: Caller, executor: JobRequest['executors'][number]) {
  const application =
    executor.application === undefined
      ? await adhocApplication(manager, caller, executor.image ?? '', executor.command[0] ?? '')
      : await manager.findOneBy(Application, { tenant: caller.tenant, name: executor.application });
  if (!application) {
    throw new PorinError('unknown-application', `There is no application called ${executor.application ?? ''}.`);
  }
  return {
    application,
    executor: {
      applicationId: application.id,
      image: executor.image ?? application.image,
      command: [...application.commandPrefix, ...executor.command],
      environment: executor.environment,
      workingDirectory: executor.workingDirectory ?? null,
    },
  };
}

/** One application per repository and program, never one per argument list. */
async function adhocApplication(
  manager: EntityManager,
  caller: Caller,
  image: string,
  program: string,
): Promise<Application> {
  const name = adhocApplicationName(image, program);
  await manager
    .createQueryBuilder()
    .insert()
    .into(Application)
    .values({ tenant: caller.tenant, name, image, commandPrefix: [], createdBy: caller.keyId })
    .orIgnore()
    .execute();
  return manager.findOneByOrFail(Application, { tenant: caller.tenant, name });
}
