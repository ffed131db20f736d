/** Shows a task in one of the views of TES 1.1. */
import { type TaskInputDetails, type TaskReferenceDetails } from '#lib/jobs';
import { type ExecutorRow, type JobRow, type TaskRows } from './read-tasks.js';
import { type Task, type View } from './task-answers.js';
import { taskLog } from './task-log.js';
import { TES_STATE_OF } from './tes-state.js';

const GIB = 1024 ** 3;

/** BASIC and FULL; the view MINIMAL needs no more than an id and a state. */
export function taskView(rows: TaskRows, view: Exclude<View, 'MINIMAL'>): Task {
  const { job, executors } = rows;
  const { description } = job.task ?? {};
  const log = taskLog(rows, view);
  return {
    id: job.id,
    state: TES_STATE_OF[job.state],
    ...(job.name !== '' && { name: job.name }),
    ...(description !== undefined && { description }),
    inputs: inputsOf(job, view),
    outputs: job.outputs.map(({ url, path, type = 'FILE', pathPrefix }, index) => ({
      ...{ url, path, type },
      ...(pathPrefix !== undefined && { path_prefix: pathPrefix }),
      ...(job.task?.outputs?.[index] satisfies TaskReferenceDetails | undefined),
    })),
    resources: {
      cpu_cores: Math.ceil(job.cpuMilli / 1000),
      ram_gb: job.memoryBytes / GIB,
      disk_gb: job.diskBytes / GIB,
      ...resourcesAsAsked(job),
    },
    executors: executors.map(executorOf),
    ...(job.volumes && { volumes: [...job.volumes] }),
    tags: job.tags,
    ...(log && { logs: [log] }),
    creation_time: job.createdAt.toISOString(),
  };
}

function executorOf(executor: ExecutorRow): NonNullable<Task['executors']>[number] {
  const { image, command, environment, workingDirectory, stdin, stdout, stderr, ignoreError } = executor;
  return {
    image,
    command: [...command],
    ...(workingDirectory !== null && { workdir: workingDirectory }),
    ...(stdin !== null && { stdin }),
    ...(stdout !== null && { stdout }),
    ...(stderr !== null && { stderr }),
    ...(Object.keys(environment).length > 0 && { env: environment }),
    ...(ignoreError && { ignore_error: true }),
  };
}

function inputsOf(job: JobRow, view: View): NonNullable<Task['inputs']> {
  return job.inputs.map(({ url, path, content, type = 'FILE' }, index) => ({
    ...(url !== undefined && { url }),
    ...{ path, type },
    ...(content !== undefined && view === 'FULL' && { content }),
    ...(job.task?.inputs?.[index] satisfies TaskInputDetails | undefined),
  }));
}

function resourcesAsAsked({ task }: JobRow): NonNullable<Task['resources']> {
  const { zones, ...resources } = task?.resources ?? {};
  return { ...resources, ...(zones && { zones: [...zones] }) };
}
