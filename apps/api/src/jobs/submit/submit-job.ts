/** Makes a job of what a submitter asks for. */
import { Application } from '#lib/database';
import { adhocApplicationName, type TaskDetails } from '#lib/jobs';
import { nodeArchitecture } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { type SubmissionFacts } from '../../facts/submission-facts.js';
import { checkImage } from './check-image.js';
import {
  insertJob,
  type NewExecutor,
  type SubmissionPlace,
  type Submitter,
  type Writer,
  writerIn,
  type WrittenJob,
} from './insert-job.js';
import { type JobRequest } from './job-schema.js';

const OUR_ARCHITECTURE = nodeArchitecture(process.arch);

type RequestedExecutor = JobRequest['executors'][number];

/** Of a job that was asked for as a TES task: what a job does not have, and `repeatDigest` of JobOrder. */
export interface TaskOrder {
  readonly details: TaskDetails;
  readonly repeatDigest: string | undefined;
}

/** Throws unknown-application, image-invalid, and what insertJob throws. */
export async function submitJob(
  { dataSource, facts, batches }: SubmissionPlace,
  submitter: Submitter,
  request: JobRequest,
  task?: TaskOrder,
): Promise<WrittenJob> {
  const { tenant } = submitter.caller;
  const { architecture = OUR_ARCHITECTURE, resources, outputs, secrets } = request;
  const applications = await Promise.all(request.executors.map((each) => findApplication(facts, tenant, each)));
  const knownOnes = applications.filter((application) => application !== null);
  const usableSecrets = await facts.usableSecrets(submitter.caller, secrets ?? []);
  const submission = { ...submitter, usableSecrets, heldTo: await facts.heldTo(tenant, architecture, knownOnes) };
  const insert = (writer: Writer, executors: readonly NewExecutor[]) =>
    insertJob(writer, submission, {
      fields: {
        name: request.name,
        priority: request.priority,
        architecture,
        cpuMilli: resources.cpuMilli,
        memoryBytes: resources.memoryBytes,
        diskBytes: resources.diskBytes,
        wallTimeS: resources.wallTimeS,
        inputs: request.inputs,
        outputs,
        volumes: request.volumes ?? null,
        publishOn: request.publishOn,
        tags: request.tags,
        requestedEnforcement: request.enforcement ?? null,
        requestedMonitoring: request.monitoring ?? null,
        rerunOf: null,
        secrets: secrets ?? null,
        task: task?.details ?? null,
      },
      executors,
      // The schema parses fields in one order.
      requestText: JSON.stringify(request),
      repeatDigest: task?.repeatDigest,
    });
  const known = request.executors.flatMap((executor, position) => {
    const application = applications[position];
    return application ? [newExecutor(executor, application)] : [];
  });
  if (known.length === request.executors.length && outputs.length === 0) {
    return insert({ manager: dataSource.manager, send: batches.send }, known);
  }
  return dataSource.transaction(async (manager) => {
    const executors: NewExecutor[] = [];
    for (const [position, executor] of request.executors.entries()) {
      const application = applications[position] ?? (await adhocApplication(manager, submitter.caller, executor));
      executors.push(newExecutor(executor, application));
    }
    return insert(writerIn(manager), executors);
  });
}

/** Null for a program of an image that is no application yet. */
async function findApplication(
  facts: SubmissionFacts,
  tenant: string,
  executor: RequestedExecutor,
): Promise<Application | null> {
  if (executor.image !== undefined) checkImage(executor.image);
  if (executor.application === undefined) return facts.application(tenant, adhocName(executor));
  const application = await facts.application(tenant, executor.application);
  if (application) return application;
  throw new PorinError(
    'unknown-application',
    `There is no application called "${executor.application}". Register it, or name an image.`,
  );
}

/** One application per repository and program, never one per argument list. */
async function adhocApplication(
  manager: EntityManager,
  { tenant, principalId }: Caller,
  executor: RequestedExecutor,
): Promise<Application> {
  const name = adhocName(executor);
  await manager
    .createQueryBuilder()
    .insert()
    .into(Application)
    .values({ tenant, name, image: executor.image ?? '', commandPrefix: [], createdBy: principalId })
    .orIgnore()
    .execute();
  return manager.findOneByOrFail(Application, { tenant, name });
}

function adhocName({ image = '', command }: RequestedExecutor): string {
  return adhocApplicationName(image, command[0] ?? '');
}

function newExecutor(executor: RequestedExecutor, application: Application): NewExecutor {
  return {
    application,
    executor: {
      image: executor.image ?? application.image,
      command: [...application.commandPrefix, ...executor.command],
      environment: executor.environment,
      workingDirectory: executor.workingDirectory ?? null,
      stdin: executor.stdin ?? null,
      stdout: executor.stdout ?? null,
      stderr: executor.stderr ?? null,
      ignoreError: executor.ignoreError ?? false,
    },
  };
}
