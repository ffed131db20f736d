/**
 * The database's side of attempts. Every write to an attempt or a job checks that the attempt is still open, so a lost worker
 * changes nothing of either; what it writes besides is about runs of its own (run-store.ts).
 */
import { type JobError, type WaitingReason } from '#lib/jobs';
import { type Message } from '#lib/queue';
import { type StagingProgress } from '#lib/staging';
import { type NodeCalls } from '../store/node-database.js';
import { type AttemptKey } from './attempt-key.js';
import { type Claim } from './claim.js';
import { type Renewal } from './lease.js';
import { lost } from './lost-attempt.js';
import { type Share } from '../node/resources.js';

export class AttemptStore {
  /** Leases are renewed by `session`, a connection of its own, and so never wait behind logs. */
  constructor(
    private readonly database: NodeCalls,
    private readonly options: { leaseMs: number; session: NodeCalls },
  ) {}

  /** What the message's job asks of the node; undefined when it is not there to be claimed. */
  async peek({ jobId, attempt }: Message): Promise<Share | undefined> {
    return (await this.database.call<Share | null>('node_peek', { jobId, attempt })) ?? undefined;
  }

  /** By compare-and-set: of any number of messages for an attempt, forged ones included, at most one claims it. */
  async claim({ jobId, attempt }: Message): Promise<Claim | undefined> {
    const { leaseMs } = this.options;
    return (await this.database.call<Claim | null>('node_claim', { jobId, attempt, leaseMs })) ?? undefined;
  }

  /** A lease that has run out is not renewed: the reconciler may be giving the job to another. `staged`: null where nothing is being staged. */
  async renew({ jobId, number }: AttemptKey, staged: StagingProgress | null): Promise<Renewal> {
    const { leaseMs, session } = this.options;
    return session.call('node_renew', { jobId, number, leaseMs, ...(staged && { staged }) });
  }

  /** Of a job without outputs; see PublicationStore for others. It ends COMPLETE, or CANCELED when a cancel came before. */
  async complete(key: AttemptKey): Promise<void> {
    await this.#end('node_complete', key, {});
  }

  /** A retryable error leaves the job to the reconciler, which alone makes attempts; any other ends it. */
  async fail(key: AttemptKey, { code, message }: JobError): Promise<void> {
    await this.#end('node_fail', key, { code, message });
  }

  /** Gives the job back until what it waits for is there: the API queues it again then. */
  async hold(key: AttemptKey, reason: WaitingReason): Promise<void> {
    await this.#end('node_hold', key, { reason });
  }

  /**
   * Its payload was refused calls and has ended: the job publishes nothing, and waits for the decision about the next version
   * of the build. It is no failure of the grid's, and the API alone goes on from here.
   */
  async holdForDecision(key: AttemptKey, buildId: string, { code, message }: JobError): Promise<void> {
    await this.#end('node_hold_for_decision', key, { buildId, code, message });
  }

  async #end(name: string, { jobId, number }: AttemptKey, more: object): Promise<void> {
    const ended: boolean = await this.database.call(name, { jobId, number, ...more });
    if (!ended) throw lost({ jobId, number });
  }
}
