/** The way to a worker: the name of its queue, the message schema, and the connection. */
import { z } from 'zod';

export { ByDigest, scriptsOf } from './by-digest.js';
export { queueName } from './names.js';
export { redisUserName, redisUserRules } from './node-user.js';

/** A job id and an attempt number, nothing more: Redis holds messages in clear text. */
export const messageSchema = z.strictObject({ jobId: z.uuid(), attempt: z.int().positive() });
export type Message = z.infer<typeof messageSchema>;

/** The BullMQ job id; adding the same attempt twice is ignored. BullMQ rejects ids with ":". */
export function messageId(message: Message): string {
  return `job-${message.jobId}-a${message.attempt}`;
}

/** Nothing is kept in Redis after it was handled, and BullMQ never retries: Postgres is the truth. */
export const MESSAGE_OPTIONS = { attempts: 1, removeOnComplete: true, removeOnFail: true } as const;

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: { readonly servername: string };
  readonly maxRetriesPerRequest: number | null;
  readonly enableOfflineQueue: boolean;
  readonly retryStrategy: (times: number) => number;
}

/** ioredis options of a `redis:` or `rediss:` URL, as BullMQ's blocking connections need them. */
export function queueConnection(redisUrl: string, options: { failFast: boolean }): RedisAddress {
  const url = new URL(redisUrl);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(url.pathname.length > 1 ? { db: Number(url.pathname.slice(1)) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: { servername: url.hostname } } : {}),
    maxRetriesPerRequest: options.failFast ? 1 : null,
    enableOfflineQueue: !options.failFast,
    retryStrategy: (times: number) => Math.min(times * 200, 2_000),
  };
}
