/**
 * What one dispatcher at a time does: it places jobs, mends what workers leave behind, and beside that decides by rules, learns,
 * and deletes what has expired. The others stand by until its lease runs out.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type DispatcherConfig } from '#lib/config';
import { Connection } from '#lib/database';
import { type ApprovalKeys } from '#lib/profiles';
import {
  considerPostponed,
  endUndecidedJobs,
  enqueueDue,
  foldUsage,
  passRuns,
  releaseHeldJobs,
  releaseOutputs,
} from '#lib/store';
import { type Logger } from 'pino';
import { type DataSource, type EntityManager } from 'typeorm';
import { Alarm } from './alarm.js';
import { endLostAttempts, endOverduePublications, markSilentNodes, settleJobs } from './attempts/reconciler.js';
import { type Duty, every, guarded, paced } from './duty.js';
import { Leadership } from './leadership.js';
import { Lease } from './lease.js';
import { judgeNodes } from './nodes/judge-nodes.js';
import { verifyRegistrations } from './nodes/verify-registrations.js';
import { NodeQueues } from './placement/node-queues.js';
import { Patience } from './placement/patience.js';
import { type Dispatch, Placement } from './placement/place-jobs.js';
import { possiblyLost } from './placement/possibly-lost.js';
import { forgetSealed, SecretSealer } from './placement/seal-secrets.js';
import { sealStagings } from './placement/seal-stagings.js';
import { RedisUsers } from './placement/redis-users.js';
import { RedisAway } from './redis-away.js';
import { type Periods, periodsOf } from './periods.js';
import { Proposals } from './proposals/proposals.js';
import { type RetentionTerms } from './retention/expired.js';
import { Retention } from './retention/retention.js';
import { ApprovalListWatch } from './stages/approval-list-watch.js';
import { RuleDecisions } from './stages/rule-decisions.js';

/** Submissions that come in a burst are placed together. */
const REST_MS = 20;
/** Between two looks at a lease that another one has. */
const STANDBY_MS = 500;
const NODE_ABUSE_MS = 15_000;
const LOST_AFTER_S = 5;
/** Looks through all jobs that wait. */
const OVERDUE_MS = 60_000;
/** Before a leader that has lost its lease takes one again: whoever stands by comes first. */
const YIELD_MS = 2_000;
/** A renewal that takes longer has failed. */
const RENEWAL_TIMEOUT_MS = 2_000;

export class Dispatcher {
  private readonly queues: NodeQueues;
  private readonly patience: Patience;
  private readonly periods: Periods;
  private readonly redisAway: RedisAway;
  private readonly stopping = new AbortController();
  private readonly alarm = new Alarm(REST_MS);
  private readonly holder = `${hostname()}/${process.pid}/${randomUUID()}`;
  private loop: Promise<void> = Promise.resolve();

  /** `onAlive`: whenever it has heard from the database, as a leader or standing by. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly config: DispatcherConfig,
    private readonly approvalKeys: ApprovalKeys,
    private readonly logger: Logger,
    private readonly onAlive: () => void = () => undefined,
  ) {
    this.queues = new NodeQueues(config.PORIN_REDIS_URL, (error) => logger.warn({ err: error.message }, 'redis'));
    this.patience = new Patience(config.PORIN_CLAIM_PATIENCE_MS);
    this.periods = periodsOf(config.PORIN_LOOK_MS);
    this.redisAway = new RedisAway(this.queues, logger);
  }

  start(): void {
    this.loop = this.run();
  }

  /** Resolves when what it was doing is done and the lease is free. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.alarm.wake();
    await this.loop;
    await this.queues.close();
  }

  /** A lost connection ends one turn of this loop, never the loop. */
  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const session = new Connection({
        connectionString: this.config.PORIN_DATABASE_URL,
        application_name: 'porin-dispatch',
        query_timeout: RENEWAL_TIMEOUT_MS,
      });
      try {
        await session.connect();
        const lease = await this.standBy(session);
        if (lease) await this.lead(session, lease);
      } catch (error) {
        if (!this.stopping.signal.aborted) this.logger.warn({ err: error }, 'dispatch was interrupted');
      } finally {
        await session.end().catch(() => undefined);
      }
      if (!this.stopping.signal.aborted) await this.alarm.sleep(YIELD_MS);
    }
  }

  /** Resolves to the lease when it is free; undefined when this program is to stop. */
  private async standBy(session: Connection): Promise<Lease | undefined> {
    while (!this.stopping.signal.aborted) {
      const lease = await Lease.take(session, this.holder, this.config.PORIN_LEADER_LEASE_MS);
      this.onAlive();
      if (lease) return lease;
      await this.alarm.sleep(STANDBY_MS);
    }
    return undefined;
  }

  private async lead(session: Connection, lease: Lease): Promise<void> {
    const leadership = new Leadership(this.dataSource, lease.epoch);
    const { logger } = this;
    logger.info({ epoch: lease.epoch }, 'this dispatcher leads');
    leadership.lost.addEventListener('abort', () => this.alarm.wake());
    session.on('error', () => leadership.lose());
    const renewing = this.keep(lease, leadership);
    try {
      await session.query('LISTEN porin_outbox');
      await session.query('LISTEN porin_recording');
      await this.work(session, leadership);
    } finally {
      leadership.lose();
      await renewing;
      await lease.giveUp().catch(() => undefined);
      logger.info({ epoch: lease.epoch }, 'this dispatcher leads no more');
    }
  }

  /** Renews the lease until it is lost; whoever cannot renew in time stops before another one may begin. */
  private async keep(lease: Lease, leadership: Leadership): Promise<void> {
    const leaseMs = this.config.PORIN_LEADER_LEASE_MS;
    const pause = new Alarm();
    leadership.lost.addEventListener('abort', () => pause.wake());
    let untilMs = performance.now() + leaseMs;
    while (!leadership.lost.aborted) {
      await pause.sleep(lease.renewEveryMs);
      if (leadership.lost.aborted) return;
      const askedAt = performance.now();
      try {
        if (!(await lease.renew())) break;
        untilMs = askedAt + leaseMs;
        this.onAlive();
      } catch (error) {
        this.logger.warn({ err: error }, 'the lease could not be renewed');
      }
      if (performance.now() > untilMs) break;
    }
    if (!leadership.lost.aborted) this.logger.warn({ epoch: lease.epoch }, 'the lease is lost');
    leadership.lose();
  }

  private async work(session: Connection, leadership: Leadership): Promise<void> {
    const { approvalKeys, logger, periods } = this;
    const { PORIN_DATABASE_URL: databaseUrl, PORIN_BEYOND_DEFAULT: beyondDefault } = this.config;
    const data = { databaseUrl, settings: { beyondDefault }, epoch: leadership.epoch };
    const proposals = new Proposals(leadership, data, logger, periods.lookMs);
    session.on('notification', () => {
      this.alarm.wake();
      proposals.wake();
    });
    const lists = new ApprovalListWatch(leadership, approvalKeys, logger);
    const beside = [
      proposals,
      new RuleDecisions(leadership, approvalKeys, logger, periods.lookMs),
      new RedisUsers(leadership, this.queues, logger, periods.lookMs),
      new Retention(leadership, this.retentionTerms(), logger),
    ];
    await lists.start();
    const duties = [...this.duties(leadership), ...every(periods.lookMs, () => lists.look())].map((duty) =>
      guarded(duty, logger),
    );
    for (const one of beside) one.start();
    try {
      while (!this.isOver(leadership)) {
        for (const duty of duties) {
          if (!this.isOver(leadership)) await duty();
        }
        if (!this.isOver(leadership)) await this.alarm.sleep(periods.lookMs);
      }
    } finally {
      leadership.lose();
      await Promise.all(beside.map((one) => one.stop()));
    }
  }

  private isOver(leadership: Leadership): boolean {
    return this.stopping.signal.aborted || leadership.lost.aborted;
  }

  private retentionTerms(): RetentionTerms {
    return {
      artifactDays: this.config.PORIN_RETENTION_DAYS,
      recordingDays: this.config.PORIN_RECORDING_RETENTION_DAYS,
      jobDays: this.config.PORIN_JOB_RETENTION_DAYS,
    };
  }

  /** In order; each is due again some time after it was done, placement always. None depends on that the one before it went well. */
  private duties(leadership: Leadership): readonly Duty[] {
    const { periods } = this;
    const terms = {
      tellMs: periods.tellMs,
      reserveAfterMs: this.config.PORIN_RESERVE_AFTER_MS,
      usageHalfLifeMs: this.config.PORIN_USAGE_HALF_LIFE_MS,
    };
    const secrets = new SecretSealer(this.config.PORIN_SECRETS_KEY_FILE, this.logger);
    const placement = new Placement(this.patience, terms, secrets);
    const { PORIN_RETRY_PAUSE_MS: retryPauseMs, PORIN_PUBLICATION_TIMEOUT_MS: publicationMs } = this.config;
    const within = (work: (manager: EntityManager) => Promise<unknown>) => () => leadership.transaction(work);
    return [
      ...every(
        NODE_ABUSE_MS,
        within((manager) => manager.query(`SELECT porin.end_node_abuse('{}')`)),
      ),
      ...every(
        periods.reconcileMs,
        within(releaseHeldJobs),
        within(endUndecidedJobs),
        within(passRuns),
        within(markSilentNodes),
        within(forgetSealed),
        within((manager) => sealStagings(manager, secrets)),
        () => this.sendAgain(leadership),
        () => Promise.resolve(this.logger.trace('what waits was looked at')),
      ),
      ...every(
        periods.settleMs,
        within(endLostAttempts),
        within((manager) => settleJobs(manager, retryPauseMs)),
        within((manager) => verifyRegistrations(manager, this.logger)),
        within((manager) => judgeNodes(manager, this.logger)),
        within(releaseOutputs),
        within(enqueueDue),
      ),
      paced(
        within((manager) => endOverduePublications(manager, publicationMs)),
        () => Math.min(OVERDUE_MS, publicationMs),
      ),
      () => this.place(leadership, placement),
      ...every(periods.usageMs, within(foldUsage), within(considerPostponed)),
      ...every(periods.redisMs, () => this.redisAway.look(leadership)),
    ];
  }

  private async sendAgain(leadership: Leadership): Promise<void> {
    await this.add(await leadership.transaction((manager) => possiblyLost(manager, LOST_AFTER_S)));
  }

  private async place(leadership: Leadership, placement: Placement): Promise<void> {
    const round = leadership.transaction((manager) => placement.round(manager));
    const { placed, takenOff, leftBy, isUnfinished } = await round.catch((error: unknown) => {
      placement.forget();
      throw error;
    });
    if (leftBy.length > 0)
      this.logger.warn({ nodes: leftBy }, 'nodes left jobs that they had room for: they are placed again');
    if (isUnfinished) this.alarm.wake();
    if (await this.add(placed)) await this.remove(takenOff);
  }

  /** Postgres has it already: when Redis does not answer, the reconciler adds it later. */
  private async add(dispatches: readonly Dispatch[]): Promise<boolean> {
    for (const dispatch of dispatches) {
      try {
        await this.queues.add(dispatch);
      } catch (error) {
        this.patience.startAnew();
        this.logger.warn(
          { err: (error as Error).message, ...dispatch },
          'this message and those behind it wait for Redis',
        );
        return false;
      }
    }
    return true;
  }

  /** For tidiness: a claim by a stale message fails. */
  private async remove(stale: readonly Dispatch[]): Promise<void> {
    try {
      for (const dispatch of stale) await this.queues.remove(dispatch);
    } catch (error) {
      this.logger.info({ err: (error as Error).message }, 'stale messages stay in Redis');
    }
  }
}
