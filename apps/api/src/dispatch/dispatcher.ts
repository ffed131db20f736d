/** Runs the relay, the reconciler, the rules, the proposals' clock and the retention on one API instance at a time, held by a session-level advisory lock. */
import { type KeyObject } from 'node:crypto';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { type ApiConfig } from '#lib/config';
import { MESSAGE_OPTIONS, messageId, queueConnection, queueName } from '#lib/queue';
import { Queue } from 'bullmq';
import { SEARCH_PATH_OPTION } from '#lib/database';
import pg from 'pg';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { passRuns } from '../profiles/denied/denied-runs.js';
import { API_CONFIG, LOGGER, SIGNING_KEY } from '../tokens.js';
import { Alarm } from './alarm.js';
import { Proposals } from './proposals/proposals.js';
import { endLostAttempts, markSilentNodes, settleJobs } from './attempts/reconciler.js';
import { endUndecidedJobs } from './held/denied-jobs.js';
import { releaseHeldJobs } from './held/release-held.js';
import { verifyRegistrations } from './nodes/verify-registrations.js';
import { deleteExpiredArtifacts } from './retention.js';
import { type Dispatch, possiblyLost, takeReady } from './attempts/relay.js';
import { RuleDecisions } from './stages/rule-decisions.js';

const DISPATCH_LOCK = 7_060_118;
const POLL_MS = 1_000;
const SETTLE_MS = 250;
const RECONCILE_MS = 3_000;
const LOST_AFTER_S = 5;
const RETENTION_MS = 60_000;
/** A Redis that hangs must hold up nothing but its messages. */
const REDIS_TIMEOUT_MS = 5_000;

@Injectable()
export class Dispatcher implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly queues = new Map<string, Queue>();
  private readonly stopping = new AbortController();
  private readonly alarm = new Alarm();
  private loop: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(SIGNING_KEY) private readonly signingKey: KeyObject,
  ) {
    for (const architecture of ['x86_64', 'aarch64']) {
      const queue = new Queue(queueName(architecture), {
        connection: queueConnection(config.PORIN_REDIS_URL, { failFast: true }),
      });
      queue.on('error', (error) => this.logger.warn({ err: error.message }, 'redis'));
      this.queues.set(architecture, queue);
    }
  }

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    this.alarm.wake();
    await this.loop;
    await inTime(Promise.all([...this.queues.values()].map((queue) => queue.close()))).catch(() => undefined);
  }

  async ping(): Promise<void> {
    await this.queues.get('x86_64')?.count();
  }

  /** A lost connection ends one turn of this loop, never the loop. */
  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const session = new pg.Client({
        connectionString: this.config.PORIN_DATABASE_URL,
        application_name: 'porin-dispatch',
        options: SEARCH_PATH_OPTION,
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

  private async holdLock(session: pg.Client): Promise<void> {
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
    const { rows } = await session.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [DISPATCH_LOCK]);
    if (!rows[0]?.held) return;
    await session.query('LISTEN porin_outbox');
    await session.query('LISTEN porin_recording');
    const rules = new RuleDecisions(this.dataSource, this.signingKey, this.logger);
    const duties = this.duties();
    proposals.start();
    rules.start();
    try {
      while (!this.stopping.signal.aborted) {
        if (broken) throw broken;
        for (const duty of duties) await duty();
        if (!this.stopping.signal.aborted) await this.alarm.sleep(POLL_MS);
      }
    } finally {
      await Promise.all([proposals.stop(), rules.stop()]);
    }
  }

  /** In order; each is due again some time after it was done, the relay always. */
  private duties(): readonly (() => Promise<void>)[] {
    const {
      PORIN_QUEUE_DEPTH_FACTOR: depthFactor,
      PORIN_RETENTION_DAYS: retentionDays,
      PORIN_RETRY_PAUSE_MS: retryPauseMs,
    } = this.config;
    const { dataSource } = this;
    return [
      () => verifyRegistrations(dataSource.manager, this.logger),
      paced(
        () => this.reconcile(),
        () => RECONCILE_MS,
      ),
      paced(
        async () => {
          await dataSource.transaction(endLostAttempts);
          await dataSource.transaction((manager) => settleJobs(manager, retryPauseMs));
        },
        () => SETTLE_MS,
      ),
      async () => this.add(await dataSource.transaction((manager) => takeReady(manager, depthFactor))),
      paced(
        // The rest at the next turn.
        async () => !(await deleteExpiredArtifacts(dataSource.manager, retentionDays)),
        (done) => (done ? RETENTION_MS : 0),
      ),
    ];
  }

  private async reconcile(): Promise<void> {
    await this.dataSource.transaction(releaseHeldJobs);
    await endUndecidedJobs(this.dataSource.manager);
    await passRuns(this.dataSource.manager);
    await markSilentNodes(this.dataSource.manager);
    await this.add(await possiblyLost(this.dataSource.manager, LOST_AFTER_S));
  }

  /** Postgres has it already: when Redis does not answer, the reconciler adds it later. */
  private async add(dispatches: readonly Dispatch[]): Promise<void> {
    for (const { architecture, ...message } of dispatches) {
      const queue = this.queues.get(architecture);
      try {
        const options = { ...MESSAGE_OPTIONS, jobId: messageId(message) };
        await inTime(queue?.add('attempt', message, options));
      } catch (error) {
        this.logger.warn(
          { err: (error as Error).message, ...message },
          'this message and those behind it wait for Redis',
        );
        return;
      }
    }
  }
}

/** Does nothing until the pause after the last time is over. */
function paced<T>(work: () => Promise<T>, pauseMs: (result: T) => number): () => Promise<void> {
  let dueAt = -Infinity;
  return async () => {
    if (performance.now() < dueAt) return;
    const result = await work();
    dueAt = performance.now() + pauseMs(result);
  };
}

async function inTime(answer: Promise<unknown> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis does not answer')), REDIS_TIMEOUT_MS);
  });
  try {
    await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
