/** Requests to the API at a given rate, or as fast as answers come, over a given number of connections. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { inParallel } from '../measure/in-parallel.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

export interface HttpLoadOptions {
  readonly apiUrl: string;
  readonly apiKey: string;
  readonly connections: number;
  readonly stop: AbortSignal;
}

export interface OpenLoop {
  /** Of every request, from when it was due to the last byte of its answer, in milliseconds. */
  readonly latenciesMs: readonly number[];
  /** Requests answered, by the time from the first that was due to the last answer. */
  readonly perSecond: number;
}

export class HttpLoad {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #stop: AbortSignal;

  constructor({ apiUrl, apiKey, connections, stop }: HttpLoadOptions) {
    this.#pool = new Pool(apiUrl, { connections, pipelining: 1 });
    this.#headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
    this.#stop = stop;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** The text of the answer. Throws unless it is a success. */
  async send({ method, path, body }: HttpRequest): Promise<string> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: this.#headers,
      ...(body !== undefined && { body }),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300) throw new Error(`${method} ${path} was answered ${answer.statusCode}: ${text}`);
    return text;
  }

  /**
   * Each request is sent when it is due, whether those before it are answered or not: where all connections are busy it waits,
   * and that wait counts.
   */
  async openLoop(perSecond: number, seconds: number, next: () => HttpRequest): Promise<OpenLoop> {
    const total = Math.round(perSecond * seconds);
    const latenciesMs: number[] = [];
    const answers: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let sent = 0; sent < total;) {
      this.#stop.throwIfAborted();
      for (; sent < total && dueMs(sent) <= performance.now(); sent++) {
        const due = dueMs(sent);
        answers.push(this.send(next()).then(() => void latenciesMs.push(performance.now() - due)));
      }
      await sleep(1);
    }
    await Promise.all(answers);
    return { latenciesMs, perSecond: (1000 * total) / (performance.now() - startedAt) };

    function dueMs(index: number): number {
      return startedAt + (1000 * index) / perSecond;
    }
  }

  /** As many requests at once as there are `lanes`, each followed by the next. Returns requests per second. */
  async closedLoop(lanes: number, seconds: number, next: () => HttpRequest): Promise<number> {
    const startedAt = performance.now();
    let answered = 0;
    const lane = async () => {
      while (performance.now() - startedAt < 1000 * seconds) {
        this.#stop.throwIfAborted();
        await this.send(next());
        answered += 1;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return (1000 * answered) / (performance.now() - startedAt);
  }

  /** So many requests, as many at once as there are `lanes`. */
  closedLoopOf(total: number, lanes: number, next: () => HttpRequest): Promise<void> {
    return inParallel(total, lanes, async () => void (await this.send(next())));
  }

  /** One after another. Returns the milliseconds of each. */
  async oneByOne(total: number, next: () => HttpRequest): Promise<readonly number[]> {
    const timesMs: number[] = [];
    for (let sent = 0; sent < total; sent++) {
      this.#stop.throwIfAborted();
      const startedAt = performance.now();
      await this.send(next());
      timesMs.push(performance.now() - startedAt);
    }
    return timesMs;
  }
}
