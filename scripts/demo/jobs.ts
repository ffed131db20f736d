/** Submits jobs of the example application and follows them to their end, with a line for every change. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isFinal } from '#lib/jobs';
import { ROOT } from '../setup/paths.js';
import { type JobAnswer, jobSchema, submittedSchema } from './answers.js';
import { type ApiClient } from './api-client.js';
import { progress } from './describe.js';
import { type Recording } from './recordings.js';
import { type Scene, StoryError } from './scene.js';

const PLUGINS = join(ROOT, 'examples/edf-normalize/plugins');
const POLL_MS = 300;
/** Silence longer than this looks like a hang. */
const REMIND_MS = 10_000;
const LIMIT_MS = 600_000;
const MIB = 1024 ** 2;

export interface Request {
  /** Unique within the demo: names the job and the file it writes. */
  readonly name: string;
  readonly application: string;
  readonly recording: Recording;
  readonly enforcement?: string;
  readonly monitoring?: string;
  /** A file of the example's plug-ins, which comes along as one more input. */
  readonly plugin?: string;
}

interface Named {
  readonly name: string;
}

/** `R`: what is known of the job beside its id, its name at least. */
export interface Submitted<R = Request> {
  readonly request: R;
  readonly id: string;
}

export interface Ended<R = Request> {
  readonly request: R;
  readonly job: JobAnswer;
}

/** `outputs`: the host directory that its output goes to. */
export function jobBody(request: Request, outputs: string) {
  const { name, application, recording, plugin, enforcement, monitoring } = request;
  const plugInArguments = plugin === undefined ? [] : ['--plugin', '/in/plugin.py'];
  return {
    name,
    executors: [
      { application, command: ['--input', '/in/recording.edf', '--output', '/out/normalised.edf', ...plugInArguments] },
    ],
    inputs: [
      { url: recording.url, path: '/in/recording.edf' },
      ...(plugin === undefined ? [] : [{ content: readPlugIn(plugin), path: '/in/plugin.py' }]),
    ],
    outputs: [{ url: pathToFileURL(join(outputs, `${name}.edf`)).href, path: '/out/normalised.edf' }],
    resources: { cpuMilli: 1000, memoryBytes: 256 * MIB, diskBytes: 256 * MIB, wallTimeS: 300 },
    ...(enforcement === undefined ? {} : { enforcement }),
    ...(monitoring === undefined ? {} : { monitoring }),
    tags: { demo: 'edf-normalize' },
  };
}

/** All at once; in the order of the requests. A job that does not end COMPLETE is a problem of the scene. */
export async function runJobs(scene: Scene, client: ApiClient, requests: readonly Request[]): Promise<Ended[]> {
  return followToComplete(scene, client, await submit(scene, client, requests));
}

/** A job that does not end COMPLETE is a problem of the scene. */
export async function followToComplete<R extends Named>(
  scene: Scene,
  client: ApiClient,
  submitted: readonly Submitted<R>[],
): Promise<Ended<R>[]> {
  const ended = await follow(scene, client, submitted);
  for (const { request, job } of ended) {
    if (job.state !== 'COMPLETE') scene.problems.push(`the job ${request.name} ended ${progress(job)}`);
  }
  return ended;
}

export async function submit(scene: Scene, client: ApiClient, requests: readonly Request[]): Promise<Submitted[]> {
  mkdirSync(scene.outputs, { recursive: true, mode: 0o700 });
  const submitted: Submitted[] = [];
  for (const request of requests) {
    const { id } = await client.post('/api/v1/jobs', jobBody(request, scene.outputs), submittedSchema);
    scene.submitted.push(id);
    submitted.push({ request, id });
  }
  return submitted;
}

/** In the order of the jobs, once `isOver` holds for all of them. */
export async function follow<R extends Named>(
  scene: Scene,
  client: ApiClient,
  submitted: readonly Submitted<R>[],
  isOver: (job: JobAnswer) => boolean = ({ state }) => isFinal(state),
): Promise<Ended<R>[]> {
  const width = Math.max(...submitted.map(({ request }) => request.name.length));
  const lines = new Map<string, string>();
  let spokenAt = Date.now();
  for (const deadline = Date.now() + LIMIT_MS; ; await sleep(POLL_MS, undefined, { signal: scene.signal })) {
    const jobs = await Promise.all(submitted.map(({ id }) => client.get(`/api/v1/jobs/${id}`, jobSchema)));
    const remind = Date.now() - spokenAt > REMIND_MS;
    jobs.forEach((job, index) => {
      const line = `${(submitted[index]?.request.name ?? '').padEnd(width)}  ${progress(job)}`;
      if (lines.get(job.id) === line && (isOver(job) || !remind)) return;
      scene.print(lines.get(job.id) === line ? `${line} (still)` : line);
      lines.set(job.id, line);
      spokenAt = Date.now();
    });
    if (jobs.every(isOver)) {
      return submitted.map(({ request }, index) => ({ request, job: jobs[index] as JobAnswer }));
    }
    if (Date.now() > deadline) throw new StoryError(`the jobs did not end within ${LIMIT_MS / 1000} s`);
  }
}

function readPlugIn(file: string): string {
  return readFileSync(join(PLUGINS, file), 'utf8');
}

/** What the example wrote to standard error. */
export function readStderr(client: ApiClient, job: JobAnswer): Promise<string> {
  return client.getText(`/api/v1/jobs/${job.id}/logs?stream=stderr&executor=0&offset=0`);
}
