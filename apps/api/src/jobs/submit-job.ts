/** Makes a job of what a submitter asks for. */
import { Application } from '#lib/database';
import { adhocApplicationName } from '#lib/jobs';
import { nodeArchitecture } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { checkImage } from './check-image.js';
import { insertJob, type JobOrder, type NewExecutor, type WrittenJob } from './insert-job.js';
import { type JobRequest } from './job-schema.js';

const OUR_ARCHITECTURE = nodeArchitecture(process.arch);

/** Throws unknown-application, image-invalid, and what insertJob throws. */
export async function submitJob(
  manager: EntityManager,
  caller: Caller,
  request: JobRequest,
  { idempotencyKey, grid }: Pick<JobOrder, 'idempotencyKey' | 'grid'>,
): Promise<WrittenJob> {
  const executors = await Promise.all(request.executors.map((executor) => resolveExecutor(manager, caller, executor)));
  const { name, priority, architecture = OUR_ARCHITECTURE, resources, inputs, outputs, publishOn, tags } = request;
  return insertJob(manager, caller, {
    fields: {
      ...{ name, priority, architecture, inputs, outputs, publishOn, tags, ...resources },
      requestedEnforcement: request.enforcement ?? null,
      requestedMonitoring: request.monitoring ?? null,
      rerunOf: null,
    },
    executors,
    // The schema parses fields in one order.
    requestText: JSON.stringify(request),
    idempotencyKey,
    grid,
  });
}

async function resolveExecutor(
  manager: EntityManager,
  caller: Caller,
  executor: JobRequest['executors'][number],
): Promise<NewExecutor> {
  if (executor.image !== undefined) checkImage(executor.image);
  const application =
    executor.application === undefined
      ? await adhocApplication(manager, caller, executor.image ?? '', executor.command[0] ?? '')
      : await manager.findOneBy(Application, { tenant: caller.tenant, name: executor.application });
  if (!application) {
    throw new PorinError(
      'unknown-application',
      `There is no application called "${executor.application ?? ''}". Register it, or name an image.`,
    );
  }
  return {
    application,
    executor: {
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
  const known = await manager.findOneBy(Application, { tenant: caller.tenant, name });
  if (known) return known;
  await manager
    .createQueryBuilder()
    .insert()
    .into(Application)
    .values({ tenant: caller.tenant, name, image, commandPrefix: [], createdBy: caller.principalId })
    .orIgnore()
    .execute();
  return manager.findOneByOrFail(Application, { tenant: caller.tenant, name });
}
