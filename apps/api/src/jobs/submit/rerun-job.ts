/** Repeats a job from its stored specification, as a job of whoever asks for it. */
import { Application, Executor, type Job } from '#lib/database';
import { MAXIMUM_PRIORITIES } from '#lib/jobs';
import { In } from 'typeorm';
import {
  insertJob,
  type JobOrder,
  type SubmissionPlace,
  type Submitter,
  writerIn,
  type WrittenJob,
} from './insert-job.js';

/**
 * Everything is as it was stored, the image references included, which are resolved anew; inputs by URL are fetched anew. A
 * rerun of a rerun names the job that was sent. It is a plain job also where the first was part of a calibration. Throws
 * what insertJob throws: the levels that the job asked for are held to the role of whoever repeats it.
 */
export async function rerunJob(
  { dataSource, facts }: SubmissionPlace,
  submitter: Submitter,
  job: Job,
): Promise<WrittenJob> {
  const { manager } = dataSource;
  const { caller } = submitter;
  const executors = await manager.find(Executor, { where: { jobId: job.id }, order: { position: 'ASC' } });
  const applications = await manager.findBy(Application, { id: In(executors.map(submittedAs)) });
  const order: JobOrder = {
    fields: {
      name: job.name,
      priority: Math.min(job.priority, MAXIMUM_PRIORITIES[caller.role]),
      architecture: job.architecture,
      cpuMilli: job.cpuMilli,
      memoryBytes: job.memoryBytes,
      diskBytes: job.diskBytes,
      wallTimeS: job.wallTimeS,
      inputs: job.inputs,
      outputs: job.outputs,
      volumes: job.volumes,
      publishOn: job.publishOn,
      tags: job.tags,
      requestedEnforcement: job.requestedEnforcement,
      requestedMonitoring: job.requestedMonitoring,
      rerunOf: job.id,
      secrets: job.secrets,
      task: job.task,
    },
    executors: executors.map((executor) => {
      const { image, command, environment, workingDirectory, stdin, stdout, stderr, ignoreError } = executor;
      return {
        application: applicationOf(applications, submittedAs(executor)),
        executor: { image, command, environment, workingDirectory, stdin, stdout, stderr, ignoreError },
      };
    }),
    requestText: `rerun ${job.id}`,
  };
  const usableSecrets = await facts.usableSecrets(caller, job.secrets ?? []);
  const submission = {
    ...submitter,
    usableSecrets,
    heldTo: await facts.heldTo(caller.tenant, job.architecture, applications),
  };
  return dataSource.transaction((transaction) => insertJob(writerIn(transaction), submission, order));
}

/** The image that a job named may hold something else by now: whose that is, is found out anew. */
function submittedAs({ applicationId, boundFrom }: Executor): string {
  return boundFrom ?? applicationId;
}

function applicationOf(applications: readonly Application[], id: string): Application {
  const found = applications.find((application) => application.id === id);
  if (!found) throw new Error(`the application ${id} is gone`);
  return found;
}
