/** A worker's connection: it calls scripts by their digest and never sends one, because a node's user may not (`node-user.ts`). */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** BullMQ asks again at once; the dispatcher needs a moment to load what a restart of Redis lost. */
const PAUSE_MS = 500;

export class ByDigest extends Redis {
  /** BullMQ defines its scripts here and calls them with one list of keys and arguments. */
  override defineCommand(name: string, { lua, numberOfKeys = 0 }: { lua: string; numberOfKeys?: number }): void {
    const digest = createHash('sha1').update(lua).digest('hex');
    const call = async (values: (string | Buffer | number)[]): Promise<unknown> => {
      try {
        return await this.evalsha(digest, numberOfKeys, ...values);
      } catch (error) {
        if (/^(NOSCRIPT|NOPERM)/.test((error as Error).message)) await sleep(PAUSE_MS);
        throw error;
      }
    };
    Object.defineProperty(this, name, { value: call });
  }
}

/** The scripts that BullMQ has defined on an ordinary connection, by digest. */
export function scriptsOf(redis: Redis): ReadonlyMap<string, string> {
  const scripts: Readonly<Record<string, { readonly lua: string; readonly sha: string }>> = redis.scriptsSet;
  return new Map(Object.values(scripts).map(({ sha, lua }) => [sha, lua]));
}
