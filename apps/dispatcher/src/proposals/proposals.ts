/** Considers the recordings of builds as soon as their jobs have ended: small builds here, large ones in a thread, side by side. */
import { FAMILIES_VERSION } from '#lib/profiles';
import { type Logger } from 'pino';
import {
  BUILD_SIZES,
  type BuildSize,
  type Consideration,
  considerBuild,
  considerOlderFamilies,
  nextBuild,
} from '#lib/store';
import { Alarm } from '../alarm.js';
import { backOff } from '../loop.js';
import { type Transactions } from '../leadership.js';
import { type ThreadData } from './consider-thread.js';
import { LargeBuilds } from './large-builds.js';

/** Jobs of one build that end in a burst are considered together. */
const REST_MS = 100;
/** Before a build that could not be considered is tried again; doubled each time. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

export class Proposals {
  private readonly stopping = new AbortController();
  private readonly alarms = { small: new Alarm(REST_MS), large: new Alarm(REST_MS) } satisfies Record<BuildSize, Alarm>;
  private readonly largeBuilds: LargeBuilds;
  /** Builds that could not be considered: how often, and when they are due again. */
  private readonly failed = new Map<string, { readonly times: number; readonly dueAt: number }>();
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: Transactions,
    private readonly options: ThreadData,
    private readonly logger: Logger,
    /** Whoever misses a wake-up looks by itself. */
    private readonly lookMs: number,
  ) {
    this.largeBuilds = new LargeBuilds(options);
  }

  start(): void {
    const older = this.database
      .transaction((manager) => considerOlderFamilies(manager, FAMILIES_VERSION))
      .catch((error: unknown) =>
        this.logger.error({ err: error }, 'builds with an older table of families could not be looked for'),
      );
    this.running = Promise.all([older, ...BUILD_SIZES.map((size) => this.run(size))]);
  }

  /** A job may have ended. */
  wake(): void {
    for (const alarm of Object.values(this.alarms)) alarm.wake();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    const ended = this.largeBuilds.end();
    await Promise.all([this.running, ended]);
    await this.largeBuilds.end();
  }

  private async run(size: BuildSize): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const buildId = await this.database.transaction((manager) => nextBuild(manager, size, this.paused()));
        if (buildId !== null) {
          await this.considerOne(size, buildId);
          continue;
        }
      } catch (error) {
        this.logger.warn({ err: error }, 'builds with new recordings could not be looked for');
      }
      await this.alarms[size].sleep(this.lookMs);
    }
  }

  private async considerOne(size: BuildSize, buildId: string): Promise<void> {
    try {
      const consideration =
        size === 'small'
          ? await this.database.transaction((manager) => considerBuild(manager, buildId, this.options.settings))
          : await this.largeBuilds.consider(buildId);
      this.failed.delete(buildId);
      this.report(buildId, consideration);
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.logger.error({ err: error, buildId }, 'the recordings of a build could not be considered');
      const times = (this.failed.get(buildId)?.times ?? 0) + 1;
      const pauseMs = backOff(times - 1, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
      this.failed.set(buildId, { times, dueAt: performance.now() + pauseMs });
    }
  }

  private report(buildId: string, { proposed, problem, unbelievable }: Consideration): void {
    if (proposed) this.logger.info({ buildId, ...proposed }, 'a profile version is proposed');
    if (problem !== null) this.logger.warn({ buildId, err: problem }, 'no profile can be proposed');
    for (const each of unbelievable) this.logger.warn({ buildId, ...each }, 'a recording was left out');
  }

  private paused(): readonly string[] {
    const now = performance.now();
    return [...this.failed].flatMap(([id, { dueAt }]) => (dueAt > now ? [id] : []));
  }
}
