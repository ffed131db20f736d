/** Takes messages off this node's queue and runs their attempts, as many at once as the node has room for. */
import { ByDigest, messageSchema, queueConnection, queueName, type Message } from '#lib/queue';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import { type Logger } from 'pino';
import { type AttemptStore } from '../attempt/attempt-store.js';
import { type Resources } from './resources.js';
import { Attempt, type AttemptOptions } from '../attempt/run-attempt.js';

export interface ConsumerOptions {
  readonly redisUrl: string;
  readonly nodeId: string;
  readonly slots: number;
  readonly resources: Resources;
  readonly attempts: AttemptOptions;
  readonly store: AttemptStore;
  readonly logger: Logger;
}

/** After the last attempt; without Redis, BullMQ would wait for ever to tell it of the end. */
const CLOSE_TIMEOUT_MS = 10_000;

export class Consumer {
  readonly #redis: ByDigest;
  readonly #worker: Worker;
  readonly #taking = new Set<Promise<void>>();
  /** A job whose lease was lost may be here twice: the lost attempt ends while the next one runs. */
  readonly #running = new Set<Attempt>();
  readonly #closing = new AbortController();
  #graceIsOver = false;

  constructor(private readonly options: ConsumerOptions) {
    this.#redis = new ByDigest(queueConnection(options.redisUrl, { failFast: false }));
    this.#worker = new Worker(queueName(options.nodeId), (job) => this.#follow(this.#take(job.data)), {
      connection: this.#redis,
      concurrency: options.slots,
      autorun: false,
    });
    this.#worker.on('error', (error) => options.logger.warn({ err: error.message }, 'redis'));
  }

  start(): void {
    this.#worker.run().catch((error: unknown) => this.options.logger.error({ err: error }, 'the queue was lost'));
  }

  isRunning(jobId: string): boolean {
    return [...this.#running].some((attempt) => attempt.jobId === jobId);
  }

  cancel(jobId: string): void {
    for (const attempt of this.#running) if (attempt.jobId === jobId) attempt.stop('canceled');
  }

  /** Takes nothing more, waits `graceMs` for what runs, then gives the rest back. */
  async drain(graceMs: number): Promise<void> {
    this.#closing.abort(new Error('the worker is draining'));
    const timer = setTimeout(() => {
      this.#graceIsOver = true;
      for (const attempt of this.#running) attempt.stop('draining');
    }, graceMs);
    const closed = this.#worker.close();
    await Promise.allSettled(this.#taking);
    clearTimeout(timer);
    await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    this.#redis.disconnect();
  }

  async #follow(taking: Promise<void>): Promise<void> {
    this.#taking.add(taking);
    try {
      await taking;
    } finally {
      this.#taking.delete(taking);
    }
  }

  /** Rejects for nothing that a message can cause: BullMQ must not try again. */
  async #take(data: unknown): Promise<void> {
    const parsed = messageSchema.safeParse(data);
    if (!parsed.success) {
      return this.options.logger.warn({ code: 'forged-message' }, 'a message that is none of ours was dropped');
    }
    const { store, resources } = this.options;
    const message = parsed.data;
    const share = await store.peek(message);
    if (!share) return this.options.logger.warn({ code: 'forged-message', ...message }, 'there is nothing to claim');
    const lacking = resources.lacking(share);
    // The node was started with less since the job was placed on it.
    if (lacking)
      return this.options.logger.warn({ lacking, ...message }, 'too large for this node: the job is left to others');
    const holding = await resources.take(share, this.#closing.signal).catch(() => undefined);
    if (!holding) return;
    try {
      await this.#attempt(message, holding.slot);
    } finally {
      holding.release();
    }
  }

  async #attempt(message: Message, slot: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (!(await this.options.attempts.node.engineAnswers())) {
      return this.options.logger.warn(message, 'the container engine does not answer: the job is left to others');
    }
    const attempt = await Attempt.claim(message, slot, this.options.attempts);
    if (!attempt) return;
    this.#running.add(attempt);
    if (this.#graceIsOver) attempt.stop('draining');
    try {
      await attempt.run();
    } finally {
      this.#running.delete(attempt);
    }
  }
}
