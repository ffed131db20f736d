/** Runs placement, the reconciler, and beside them the rules, the proposals and the retention, on one API instance at a time, held by a session-level advisory lock. */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ApiConfig } from '#lib/config';
import { ADVISORY_LOCKS, Connection } from '#lib/database';
import { type ApprovalKeys } from '#lib/profiles';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { passRuns } from '../profiles/denied/denied-runs.js';
import { considerPostponed } from '../profiles/propose/postponed.js';
import { foldUsage } from '../tenant/tenant-usage.js';
import { API_CONFIG, APPROVAL_KEYS, LOGGER } from '../tokens.js';
import { Alarm } from './alarm.js';
import { type Duty, every, guarded, paced } from './duty.js';
import { Proposals } from './proposals/proposals.js';
import { endLostAttempts, endOverduePublications, markSilentNodes, settleJobs } from './attempts/reconciler.js';
import { endUndecidedJobs } from './held/denied-jobs.js';
import { releaseHeldJobs } from './held/release-held.js';
import { releaseOutputs } from './held/output-claims.js';
import { verifyRegistrations } from './nodes/verify-registrations.js';
import { type RetentionTerms } from './retention.js';
import { Retention } from './retention-loop.js';
import { NodeQueues } from './placement/node-queues.js';
import { RedisUsers } from './placement/redis-users.js';
import { Patience } from './placement/patience.js';
import { type Dispatch, endTooLarge, placeJobs, possiblyLost } from './placement/place-jobs.js';
import { ApprovalListWatch } from './stages/approval-list-watch.js';
import { RuleDecisions } from './stages/rule-decisions.js';

const POLL_MS = 1_000;
/** Submissions that come in a burst are placed together. */
const REST_MS = 20;
const SETTLE_MS = 250;
const RECONCILE_MS = 3_000;
const NODE_ABUSE_MS = 15_000;
const LOOK_AT_LIST_MS = 1_000;
const LOST_AFTER_S = 5;
/** Looks through all jobs that wait. */
const OVERDUE_MS = 60_000;
const USAGE_MS = 5_000;

@Injectable()
export class Dispatcher implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly queues: NodeQueues;
  private readonly patience: Patience;
  private readonly stopping = new AbortController();
  private readonly alarm = new Alarm(REST_MS);
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(APPROVAL_KEYS) private readonly approvalKeys: ApprovalKeys,
  ) {
    this.queues = new NodeQueues(config.PORIN_REDIS_URL, (error) => logger.warn({ err: error.message }, 'redis'));
    this.patience = new Patience(config.PORIN_CLAIM_PATIENCE_MS);
  }

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.alarm.wake();
    await this.loop;
    await this.queues.close();
  }

  /** Throws where Redis does not answer or takes no writes: a replica, one that is full, one that cannot save. */
  async writeRedis(): Promise<void> {
    await this.queues.write();
  }

  /** A lost connection ends one turn of this loop, never the loop. */
  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const session = new Connection({
        connectionString: this.config.PORIN_DATABASE_URL,
        application_name: 'porin-dispatch',
      });
      try {
        await this.holdLock(session);
      } catch (error) {
        if (!this.stopping.signal.aborted) this.logger.warn({ err: error }, 'dispatch was interrupted');
      } finally {
        await session.end().catch(() => undefined);
      }
      if (!this.stopping.signal.aborted) await this.alarm.sleep(POLL_MS);
    }
  }

  private async holdLock(session: Connection): Promise<void> {
    const { PORIN_DATABASE_URL: databaseUrl, PORIN_BEYOND_DEFAULT: beyondDefault } = this.config;
    const proposals = new Proposals(this.dataSource, { databaseUrl, settings: { beyondDefault } }, this.logger);
    let broken: Error | undefined;
    session.on('error', (error) => {
      broken = error;
      this.alarm.wake();
    });
    session.on('notification', () => {
      this.alarm.wake();
      proposals.wake();
    });
    await session.connect();
    // A node could hold the lock.
    await session.query(`SELECT porin.end_node_abuse('{}')`);
    const { rows } = await session.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [
      ADVISORY_LOCKS.dispatch,
    ]);
    if (!rows[0]?.held) return;
    await session.query('LISTEN porin_outbox');
    await session.query('LISTEN porin_recording');
    const rules = new RuleDecisions(this.dataSource, this.approvalKeys, this.logger);
    const lists = new ApprovalListWatch(this.dataSource, this.approvalKeys, this.logger);
    const redisUsers = new RedisUsers(this.dataSource, this.queues, this.logger);
    const retention = new Retention(this.dataSource, this.retentionTerms(), this.logger);
    await lists.start();
    const duties = [...this.duties(), ...every(LOOK_AT_LIST_MS, () => lists.look())].map((duty) =>
      guarded(duty, this.logger),
    );
    proposals.start();
    rules.start();
    redisUsers.start();
    retention.start();
    try {
      while (!this.stopping.signal.aborted) {
        for (const duty of duties) {
          if (broken) throw broken;
          await duty();
        }
        if (!this.stopping.signal.aborted) await this.alarm.sleep(POLL_MS);
      }
    } finally {
      await Promise.all([proposals.stop(), rules.stop(), redisUsers.stop(), retention.stop()]);
    }
  }

  private retentionTerms(): RetentionTerms {
    return {
      artifactDays: this.config.PORIN_RETENTION_DAYS,
      recordingDays: this.config.PORIN_RECORDING_RETENTION_DAYS,
      jobDays: this.config.PORIN_JOB_RETENTION_DAYS,
    };
  }

  /** In order; each is due again some time after it was done, placement always. None depends on that the one before it went well. */
  private duties(): readonly Duty[] {
    const { PORIN_RETRY_PAUSE_MS: retryPauseMs, PORIN_PUBLICATION_TIMEOUT_MS: publicationMs } = this.config;
    const { dataSource } = this;
    return [
      () => verifyRegistrations(dataSource.manager, this.logger),
      ...every(NODE_ABUSE_MS, () => dataSource.query(`SELECT porin.end_node_abuse('{}')`)),
      ...every(
        RECONCILE_MS,
        () => dataSource.transaction(releaseHeldJobs),
        () => endUndecidedJobs(dataSource.manager),
        () => passRuns(dataSource.manager),
        () => markSilentNodes(dataSource.manager),
        () => endTooLarge(dataSource.manager),
        async () => this.add(await possiblyLost(dataSource.manager, LOST_AFTER_S)),
      ),
      ...every(
        SETTLE_MS,
        () => dataSource.transaction(endLostAttempts),
        () => dataSource.transaction((manager) => settleJobs(manager, retryPauseMs)),
        () => dataSource.transaction(releaseOutputs),
      ),
      paced(
        () => dataSource.transaction((manager) => endOverduePublications(manager, publicationMs)),
        () => Math.min(OVERDUE_MS, publicationMs),
      ),
      () => this.place(),
      ...every(
        USAGE_MS,
        () => foldUsage(dataSource.manager),
        () => considerPostponed(dataSource.manager),
      ),
    ];
  }

  private async place(): Promise<void> {
    const { placed, takenOff, leftBy } = await this.dataSource.transaction((manager) =>
      placeJobs(manager, this.patience),
    );
    if (leftBy.length > 0)
      this.logger.warn({ nodes: leftBy }, 'nodes left jobs that they had room for: they are placed again');
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
