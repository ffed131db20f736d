/** A node's own user in Redis, and what it may do there: what a BullMQ worker does on this node's queue. */
import { queueName } from './names.js';

/**
 * Of a worker and of the scripts that it calls. EVALSHA alone: a script of the node's own could keep Redis from everybody, so
 * scripts are loaded for it (`by-digest.ts`). No command that names no key, but INFO, which counts and lists nothing of others.
 */
const COMMANDS = [
  ...['auth', 'hello', 'client|setname', 'info', 'ping', 'quit', 'select', 'time', 'evalsha', 'bzpopmin'],
  ...['del', 'exists', 'pexpire', 'pttl', 'get', 'set', 'incr'],
  ...['hdel', 'hexists', 'hget', 'hgetall', 'hincrby', 'hmget', 'hmset', 'hset'],
  ...['llen', 'lpush', 'lrange', 'lrem', 'ltrim', 'rpoplpush', 'rpush'],
  ...['sadd', 'scard', 'smembers', 'srem', 'xadd', 'xtrim'],
  ...['zadd', 'zcard', 'zpopmin', 'zrange', 'zrangebyscore', 'zrem', 'zremrangebyrank', 'zremrangebyscore'],
  ...['zrevrange', 'zrevrangebyscore', 'zscore'],
];

export function redisUserName(nodeId: string): string {
  return `node-${nodeId}`;
}

/** Arguments of ACL SETUSER after the name. `passwordSha256`: hexadecimal. */
export function redisUserRules(nodeId: string, passwordSha256: string): string[] {
  return [
    ...['reset', 'on', `#${passwordSha256}`, 'resetchannels', `~bull:${queueName(nodeId)}:*`],
    ...['-@all', ...COMMANDS.map((command) => `+${command}`)],
  ];
}
