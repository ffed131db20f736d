/** Keeps in Redis a user for each node that has a password of its own, and the scripts that such a user may call. */
import { redisUserName, redisUserRules } from '#lib/queue';
import { type Redis } from 'ioredis';
import { type Logger } from 'pino';
import { type Transactions } from '../leadership.js';
import { Loop } from '../loop.js';
import { type NodeQueues } from './node-queues.js';

interface NodePassword {
  readonly nodeId: string;
  /** SHA-256, hexadecimal; null: the node has none, or none any more. */
  readonly sha256: string | null;
}

export class RedisUsers {
  /** By user, the hash that this process has put in place on the present connection. */
  readonly #applied = new Map<string, string>();
  readonly #redis: Redis;
  readonly #loop = new Loop(() => this.#turn());
  #problem = '';

  constructor(
    private readonly database: Transactions,
    private readonly queues: NodeQueues,
    private readonly logger: Logger,
    /** Looks this often whether something is missing, and as soon as a connection is made. */
    private readonly periodMs: number,
  ) {
    this.#redis = queues.redis;
  }

  start(): void {
    this.#redis.on('ready', this.#connected);
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#redis.off('ready', this.#connected);
  }

  /** A Redis that was started again has no users, or those of an earlier time. */
  readonly #connected = (): void => {
    this.#applied.clear();
    this.#loop.wake();
  };

  async #turn(): Promise<number> {
    try {
      await this.#keep();
      this.#problem = '';
    } catch (error) {
      this.#tell(error as Error);
    }
    return this.periodMs;
  }

  /** Cheap where all is as it should be. Users of other grids on the same Redis are left alone. */
  async #keep(): Promise<void> {
    const passwords: readonly NodePassword[] = await this.database.transaction((manager) =>
      manager.query(`SELECT id AS "nodeId", redis_password_sha256 AS sha256 FROM node ORDER BY id`),
    );
    const [first] = passwords;
    if (!first || this.#redis.status !== 'ready') return;
    await this.#keepScripts(await this.queues.scripts(first.nodeId));
    if (passwords.some(({ sha256 }) => sha256 !== null) || this.#applied.size > 0) await this.#keepUsers(passwords);
  }

  async #keepScripts(scripts: ReadonlyMap<string, string>): Promise<void> {
    const digests = [...scripts.keys()];
    if (digests.length === 0) return;
    const known = (await this.#redis.script('EXISTS', ...digests)) as readonly number[];
    for (const [index, digest] of digests.entries()) {
      if (known[index] !== 1) await this.#redis.script('LOAD', scripts.get(digest) ?? '');
    }
  }

  async #keepUsers(passwords: readonly NodePassword[]): Promise<void> {
    const present = new Set((await this.#redis.acl('USERS')) as readonly string[]);
    for (const { nodeId, sha256 } of passwords) {
      const user = redisUserName(nodeId);
      if (sha256 === null) {
        this.#applied.delete(user);
        // Ends its connections too.
        if (present.has(user)) await this.#redis.acl('DELUSER', user);
      } else if (!present.has(user) || this.#applied.get(user) !== sha256) {
        // Whoever came in by another password goes. First, so that nothing is forgotten where this stops half-way.
        if (present.has(user) && (await this.#hashes(user)).join() !== sha256) await this.#redis.acl('DELUSER', user);
        await this.#redis.acl('SETUSER', user, ...redisUserRules(nodeId, sha256));
        this.#applied.set(user, sha256);
      }
    }
  }

  async #hashes(user: string): Promise<readonly string[]> {
    const fields = (await this.#redis.acl('GETUSER', user)) as unknown[] | null;
    const at = fields?.indexOf('passwords') ?? -1;
    return at === -1 ? [] : (fields?.[at + 1] as readonly string[]);
  }

  /** Once, not every second. */
  #tell({ message }: Error): void {
    if (message === this.#problem || this.#redis.status !== 'ready') return;
    this.#problem = message;
    const refused = /^(NOPERM|ERR unknown (sub)?command)/.test(message);
    const words = refused
      ? 'This Redis does not let Porin make users: nodes with a password of their own cannot reach their queues. Allow its user ACL and SCRIPT'
      : 'the users of nodes could not be set in Redis';
    this.logger[refused ? 'error' : 'warn']({ err: message }, words);
  }
}
