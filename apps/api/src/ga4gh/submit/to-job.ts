/** Makes a job's request of a task, and keeps beside it what a job does not have. */
import {
  DEFAULT_RESOURCES,
  hasWildcards,
  RESOURCE_BOUNDS,
  type Resources,
  type TaskDetails,
  type TaskInputDetails,
  type TaskReferenceDetails,
} from '#lib/jobs';
import { PorinError } from '../../errors/porin-error.js';
import { toInvalidRequest } from '../../http/schema-pipe.js';
import { type JobRequest, jobSchema } from '../../jobs/submit/job-schema.js';
import { type ReadParameters, readParameters } from './backend-parameters.js';
import { type NewTask } from './new-task.js';

type Executor = NewTask['executors'][number];
type Input = NonNullable<NewTask['inputs']>[number];
type Output = NonNullable<NewTask['outputs']>[number];
type TesResources = NonNullable<NewTask['resources']>;

export interface TaskAsJob {
  readonly request: JobRequest;
  readonly details: TaskDetails;
}

/** "GB" of TES is what clients count memory in: 1024^3 bytes. */
const GIB = 1024 ** 3;

/** Throws invalid-request, with every problem where the task has it. */
export function toJob(task: NewTask): TaskAsJob {
  const { name, description, inputs = [], outputs = [], volumes, resources = {}, executors, tags } = task;
  const parameters = readParameters(resources.backend_parameters ?? {});
  const problems = parameterProblems(parameters, task);
  const { porin_application, porin_enforcement, porin_monitoring, porin_priority, porin_secrets } =
    parameters.supported;
  const parsed = jobSchema.safeParse(
    present({
      name,
      tags,
      executors: executors.map((executor) => jobExecutor(executor, porin_application)),
      inputs: inputs.map(jobInput),
      outputs: outputs.map(jobOutput),
      volumes: volumes?.length ? volumes.map(withoutEndSlashes) : undefined,
      // Engines read what a failed task wrote: its exit code, its own logs.
      publishOn: 'executor-error',
      resources: jobResources(resources, parameters),
      secrets: porin_secrets?.split(',').map((name) => name.trim()),
      enforcement: porin_enforcement,
      monitoring: porin_monitoring,
      priority: porin_priority === undefined ? undefined : number(porin_priority),
    }),
  );
  if (!parsed.success) problems.push(...(toInvalidRequest(parsed.error.issues).problems ?? []).map(inWordsOfTes));
  if (!parsed.success || problems.length > 0) {
    throw new PorinError('invalid-request', `The task has ${problems.length} problem(s).`, { problems });
  }
  const details: TaskDetails = present({
    description,
    inputs: detailsOf(inputs.map(inputDetails)),
    outputs: detailsOf(outputs.map(outputDetails)),
    resources: keptResources(resources, parameters),
    warnings: warnings(task, parameters),
  });
  return { request: parsed.data, details };
}

function jobExecutor(executor: Executor, application: string | undefined) {
  const { image, command, env, workdir, stdin, stdout, stderr, ignore_error } = executor;
  return present({
    ...(application === undefined ? { image } : { application }),
    command,
    environment: env,
    workingDirectory: workdir ? withoutEndSlashes(workdir) : undefined,
    // Clients that cannot leave a text out send an empty one.
    stdin: stdin || undefined,
    stdout: stdout || undefined,
    stderr: stderr || undefined,
    ignoreError: ignore_error || undefined,
  });
}

/** One path has one spelling in a job. No regular expression: it would look for the end anew from every slash. */
function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}

function jobInput({ url, content, path, type }: Input) {
  if (content || url === undefined) return present({ content, path });
  if (type !== 'DIRECTORY') return { url: withScheme(url), path };
  return { url: withScheme(withoutEndSlashes(url)), path: withoutEndSlashes(path), type };
}

/** A prefix says nothing of a path without wildcards. */
function jobOutput({ url, path, path_prefix, type }: Output) {
  const pathPrefix = hasWildcards(path) && path_prefix ? withoutEndSlashes(path_prefix) : undefined;
  const isDirectory = type === 'DIRECTORY';
  return present({
    url: isDirectory || pathPrefix !== undefined ? withScheme(withoutEndSlashes(url)) : withScheme(url),
    path: isDirectory ? withoutEndSlashes(path) : path,
    type: isDirectory ? type : undefined,
    pathPrefix,
  });
}

/** @example withScheme('/data/a#1') === 'file:///data/a%231' */
function withScheme(url: string): string {
  return url.startsWith('/') ? `file://${url.split('/').map(encodeURIComponent).join('/')}` : url;
}

function jobResources({ cpu_cores = 0, ram_gb = 0, disk_gb = 0 }: TesResources, { supported }: ReadParameters) {
  const { porin_wall_time_s } = supported;
  return present({
    cpuMilli: atLeastMinimum('cpuMilli', cpu_cores * 1000),
    memoryBytes: atLeastMinimum('memoryBytes', ram_gb * GIB),
    diskBytes: atLeastMinimum('diskBytes', disk_gb * GIB),
    wallTimeS: porin_wall_time_s === undefined ? undefined : number(porin_wall_time_s),
  });
}

/** What is less than this beside a whole number is of binary fractions: 16.1 * 1000 is more than 16100. */
const DECIMALS = 6;

/** Clients whose numbers have no "unset" send 0. */
function atLeastMinimum(of: keyof Resources, amount: number): number {
  if (amount === 0) return DEFAULT_RESOURCES[of];
  return Math.max(RESOURCE_BOUNDS[of].minimum, Math.ceil(Number(amount.toFixed(DECIMALS))));
}

/** Text that is no whole number stays text, which the job's schema refuses. */
function number(text: string): number | string {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}

function parameterProblems({ supported, unsupported, repeated }: ReadParameters, { resources, executors }: NewTask) {
  const at = (name: string, problem: string) => `resources.backend_parameters.${shown(name)}: ${problem}`;
  const problems = repeated.map((name) => at(name, 'is given twice: case does not tell names apart'));
  if (resources?.backend_parameters_strict) problems.push(...unsupported.map((name) => at(name, 'is not supported')));
  if (supported.porin_application !== undefined && executors.length > 1) {
    problems.push(at('porin_application', 'needs a task of one executor'));
  }
  return problems;
}

function warnings({ resources = {}, executors }: NewTask, { supported, unsupported }: ReadParameters) {
  const given: string[] = [];
  if (resources.preemptible) given.push('preemptible is ignored: no node is taken away from a running task.');
  if (resources.zones?.length) given.push('zones are ignored: Porin chooses the node.');
  if (supported.porin_application !== undefined) {
    given.push(`The image ${shown(executors[0]?.image ?? '')} is ignored: porin_application names the program.`);
  }
  given.push(...unsupported.map((name) => `The backend parameter ${shown(name)} is not supported and is ignored.`));
  return given.length > 0 ? given : undefined;
}

const SHOWN_CHARACTERS = 100;

function shown(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}

function inputDetails(input: Input): TaskInputDetails {
  const { name, description, url, streamable } = input;
  const inJob = jobInput(input);
  const isAsWritten = !('url' in inJob) || inJob.url === url;
  return present({ name, description, url: isAsWritten ? undefined : url, streamable });
}

function outputDetails(output: Output): TaskReferenceDetails {
  const { name, description, url } = output;
  return present({ name, description, url: url === jobOutput(output).url ? undefined : url });
}

/** Undefined where there are none. */
function detailsOf<Details extends object>(all: readonly Details[]): readonly Details[] | undefined {
  return all.some((each) => Object.keys(each).length > 0) ? all : undefined;
}

function keptResources(resources: TesResources, { supported }: ReadParameters): TaskDetails['resources'] {
  const { cpu_cores, ram_gb, disk_gb, backend_parameters: given, ...rest } = resources;
  const kept = present({
    ...rest,
    cpu_cores: cpu_cores || undefined,
    ram_gb: ram_gb || undefined,
    disk_gb: disk_gb || undefined,
    backend_parameters: given && { ...supported },
  });
  return Object.keys(kept).length > 0 ? kept : undefined;
}

/** Where a task has what a problem of the job's request is about. */
const PLACES: readonly (readonly [inJob: RegExp, inTask: string])[] = [
  [/^(executors\.\d+)\.environment\b/, '$1.env'],
  [/^(executors\.\d+)\.workingDirectory\b/, '$1.workdir'],
  [/^(executors\.\d+)\.ignoreError\b/, '$1.ignore_error'],
  [/^(outputs\.\d+)\.pathPrefix\b/, '$1.path_prefix'],
  [/^executors\.\d+\.application\b/, 'resources.backend_parameters.porin_application'],
  [/^resources\.cpuMilli\b/, 'resources.cpu_cores'],
  [/^resources\.memoryBytes\b/, 'resources.ram_gb'],
  [/^resources\.diskBytes\b/, 'resources.disk_gb'],
  [/^resources\.wallTimeS\b/, 'resources.backend_parameters.porin_wall_time_s'],
  [/^(enforcement|monitoring|priority|secrets)\b/, 'resources.backend_parameters.porin_$1'],
];

function inWordsOfTes(problem: string): string {
  const place = PLACES.find(([inJob]) => inJob.test(problem));
  return place ? problem.replace(place[0], place[1]) : problem;
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Without the members that are undefined. */
function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>;
}
