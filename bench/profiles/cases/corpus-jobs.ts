/** Runs cases of the corpus as jobs, over the public API as any client would. */
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { isFinal, type WaitingReason } from '#lib/jobs';
import { z } from 'zod';
import { type ApiClient } from '../../../scripts/demo/api-client.js';
import { type CaseRun, caseRunOf, type JobAnswer, jobAnswerSchema } from './case-run.js';
import { type CorpusCase } from './corpus.js';
import { Lanes } from './lanes.js';

const POLL_MS = 200;
/** A program that a refused call makes wait for ever. */
const WALL_TIME_S = 120;
const JOB_LIMIT_MS = 15 * 60_000;
const STDERR_CHARACTERS = 400;
/** Reasons to wait that only a person ends. */
const WAITS_FOR_A_PERSON: readonly string[] = [
  'waiting-for-profile-decision',
  'waiting-for-stage-decision',
  'waiting-for-approved-profile',
  'waiting-for-known-content',
] satisfies readonly WaitingReason[];

export interface CorpusJobsOptions {
  readonly admin: ApiClient;
  readonly submitter: ApiClient;
  /** Host directories of the inputs, and of a directory for each job's outputs, which it is removed from afterwards. */
  readonly inputs: string;
  readonly outputs: string;
  /** Jobs in flight. */
  readonly atOnce: number;
  readonly stop: AbortSignal;
  readonly ended: () => void;
}

export interface CaseRequest {
  /** Its registered name. */
  readonly application: string;
  readonly of: CorpusCase;
  /** Only an administrator may ask for less enforcement than the policy gives. */
  readonly by: 'admin' | 'submitter';
  readonly enforcement?: string;
  readonly monitoring?: string;
}

export class CorpusJobs {
  readonly #lanes: Lanes;
  #number = 0;

  constructor(private readonly options: CorpusJobsOptions) {
    this.#lanes = new Lanes(options.atOnce);
  }

  run(request: CaseRequest): Promise<CaseRun> {
    return this.#lanes.run(() => this.#run(request));
  }

  async #run(request: CaseRequest): Promise<CaseRun> {
    const { stop, outputs, ended } = this.options;
    stop.throwIfAborted();
    const client = this.options[request.by];
    this.#number += 1;
    const directory = join(outputs, String(this.#number));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    try {
      const body = jobBody(request, this.options.inputs, directory);
      const { id } = await client.post('/api/v1/jobs', body, z.object({ id: z.string() }));
      const job = await this.#end(client, id);
      const run = caseRunOf(request.of.id, job);
      ended();
      // Only stderr may show how a refused file changed a program that went on.
      const isOfInterest = request.enforcement === 'enforce' || run.state !== 'COMPLETE';
      return isOfInterest ? { ...run, stderr: await stderrOf(client, job) } : run;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  /** A job that is held is canceled, and answered as it waited. */
  async #end(client: ApiClient, id: string): Promise<JobAnswer> {
    for (const deadline = Date.now() + JOB_LIMIT_MS; Date.now() < deadline;) {
      const job = await client.get(`/api/v1/jobs/${id}`, jobAnswerSchema);
      if (isFinal(job.state)) return job;
      if (job.state === 'QUEUED' && WAITS_FOR_A_PERSON.includes(job.waitingReason ?? '')) {
        await client.post(`/api/v1/jobs/${id}/cancel`, {}, z.unknown());
        return job;
      }
      await sleep(POLL_MS, undefined, { signal: this.options.stop });
    }
    throw new Error(`the job ${id} did not end within ${JOB_LIMIT_MS / 60_000} minutes`);
  }
}

export function jobBody(request: CaseRequest, inputs: string, outputs: string) {
  const { application, of, enforcement, monitoring } = request;
  return {
    name: `${application} ${of.id}`,
    executors: [{ application, command: of.command }],
    inputs: of.inputs.map((name) => ({ url: pathToFileURL(join(inputs, name)).href, path: `/in/${name}` })),
    outputs: of.outputs.map((path) => ({ url: pathToFileURL(join(outputs, basename(path))).href, path })),
    resources: { ...of.resources, wallTimeS: WALL_TIME_S },
    ...(enforcement === undefined ? {} : { enforcement }),
    ...(monitoring === undefined ? {} : { monitoring }),
  };
}

/** The end of it; empty where nothing ran. */
async function stderrOf(client: ApiClient, job: JobAnswer): Promise<string> {
  if (job.runs.length === 0) return '';
  const text = await client.getText(`/api/v1/jobs/${job.id}/logs?stream=stderr&executor=0&offset=0`);
  return text.trim().slice(-STDERR_CHARACTERS);
}
