/** The queues of all nodes, over one connection. */
import { within } from '#lib/jobs';
import { MESSAGE_OPTIONS, messageId, queueConnection, queueName, scriptsOf } from '#lib/queue';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { type Dispatch } from './place-jobs.js';

/** A Redis that hangs must hold up nothing but its messages. */
const REDIS_TIMEOUT_MS = 5_000;
/** Nobody reads the events of a queue. */
const EVENTS_KEPT = 100;

export class NodeQueues {
  readonly redis: Redis;
  readonly #queues = new Map<string, Queue>();

  constructor(redisUrl: string, onError: (error: Error) => void) {
    this.redis = new Redis({ ...queueConnection(redisUrl, { failFast: true }), commandTimeout: REDIS_TIMEOUT_MS });
    this.redis.on('error', onError);
    // Each queue listens on the connection.
    this.redis.setMaxListeners(0);
  }

  async add({ nodeId, ...message }: Dispatch): Promise<void> {
    await inTime(this.#queue(nodeId).add('attempt', message, { ...MESSAGE_OPTIONS, jobId: messageId(message) }));
  }

  /** Without effect on a message that a worker has in its hands: its claim fails. */
  async remove({ nodeId, ...message }: Dispatch): Promise<void> {
    await inTime(this.#queue(nodeId).remove(messageId(message)));
  }

  /** Those that BullMQ calls on queues, by digest. It names them with the first queue. */
  async scripts(nodeId: string): Promise<ReadonlyMap<string, string>> {
    await inTime(this.#queue(nodeId).waitUntilReady());
    return scriptsOf(this.redis);
  }

  /** Throws where Redis does not answer. */
  async check(): Promise<void> {
    await inTime(this.redis.ping());
  }

  async close(): Promise<void> {
    await inTime(Promise.all([...this.#queues.values()].map((queue) => queue.close()))).catch(() => undefined);
    this.redis.disconnect();
  }

  #queue(nodeId: string): Queue {
    const known = this.#queues.get(nodeId);
    if (known) return known;
    const queue = new Queue(queueName(nodeId), {
      connection: this.redis,
      streams: { events: { maxLen: EVENTS_KEPT } },
    });
    // The connection's own listener has it.
    queue.on('error', () => undefined);
    this.#queues.set(nodeId, queue);
    return queue;
  }
}

function inTime(answer: Promise<unknown>): Promise<unknown> {
  return within(answer, REDIS_TIMEOUT_MS, () => new Error('Redis does not answer'));
}
