/** Submits and cancels jobs as a portal does: again with the same Idempotency-Key, at another API, until it is told yes or no. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type PlannedJob } from './job-plan.js';

const RETRY_MS = 1_000;
const ANSWER_TIMEOUT_MS = 15_000;
/** Come again: too many requests, or the API has no Postgres. */
const TRY_AGAIN = [408, 425, 429];
const jobAnswer = z.object({ id: z.string() });

export interface Submission {
  readonly key: string;
  /** Undefined where it was refused, or never answered. */
  readonly jobId: string | undefined;
  readonly refusal: string | undefined;
}

export interface SubmitterOptions {
  readonly apiUrls: readonly string[];
  readonly apiKey: string;
  readonly stop: AbortSignal;
}

export class Submitter {
  readonly submissions: Submission[] = [];
  #next = 0;

  constructor(private readonly options: SubmitterOptions) {}

  /** Resolves when each was answered, and canceled where that is planned; early when it is stopped. */
  async run(jobs: readonly PlannedJob[]): Promise<void> {
    const startedAt = performance.now();
    const { stop } = this.options;
    await Promise.all(
      jobs.map(async (job) => {
        await sleep(Math.max(0, job.atMs - (performance.now() - startedAt)), undefined, { signal: stop });
        await this.#submit(job);
      }),
    ).catch((error: unknown) => {
      if (!stop.aborted) throw error;
    });
  }

  async #submit(job: PlannedJob): Promise<void> {
    const { status, body } = await this.#ask('/api/v1/jobs', job.request, job.key);
    if (status !== 200 && status !== 201) {
      this.submissions.push({ key: job.key, jobId: undefined, refusal: `${status} ${body}` });
      return;
    }
    const { id } = jobAnswer.parse(JSON.parse(body));
    this.submissions.push({ key: job.key, jobId: id, refusal: undefined });
    if (job.cancelAfterMs === undefined) return;
    await sleep(job.cancelAfterMs, undefined, { signal: this.options.stop });
    await this.#ask(`/api/v1/jobs/${id}/cancel`, {}, undefined);
  }

  /** By the APIs in turn, until one gives an answer that another try would not change. */
  async #ask(
    path: string,
    body: object,
    idempotencyKey: string | undefined,
  ): Promise<{ readonly status: number; readonly body: string }> {
    for (;;) {
      this.options.stop.throwIfAborted();
      const answer = await this.#askOnce(path, body, idempotencyKey).catch(() => undefined);
      if (answer && answer.status < 500 && !TRY_AGAIN.includes(answer.status)) return answer;
      await sleep(RETRY_MS, undefined, { signal: this.options.stop });
    }
  }

  async #askOnce(path: string, body: object, idempotencyKey: string | undefined) {
    const { apiUrls, apiKey, stop } = this.options;
    const url = apiUrls[this.#next++ % apiUrls.length] ?? '';
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.any([stop, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    return { status: response.status, body: await response.text() };
  }
}
