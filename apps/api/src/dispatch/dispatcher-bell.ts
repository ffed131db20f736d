/** Tells the dispatcher that something may have changed. It looks by itself too: a lost ring costs a second, nothing else. */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
import { LOGGER } from '../tokens.js';

/** A burst of requests is one ring: NOTIFY holds a lock of the whole database. */
const REST_MS = 20;

@Injectable()
export class DispatcherBell implements OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private rangAt = -Infinity;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Rings after every request that may have written something, when that is committed and is answered, whether anybody still listens or not. */
  readonly hook = (
    { method }: FastifyRequest,
    _reply: FastifyReply,
    payload: unknown,
    done: (error: null, payload: unknown) => void,
  ): void => {
    if (method !== 'GET' && method !== 'HEAD') this.ring();
    done(null, payload);
  };

  /** Soon. */
  ring(): void {
    if (this.timer) return;
    const wait = Math.max(0, this.rangAt + REST_MS - performance.now());
    this.timer = setTimeout(() => void this.ringNow(), wait).unref();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.timer);
  }

  private async ringNow(): Promise<void> {
    this.timer = undefined;
    this.rangAt = performance.now();
    try {
      await this.dataSource.query(`SELECT pg_notify('porin_outbox', '')`);
    } catch (error) {
      this.logger.debug({ err: error }, 'the dispatcher was not told');
    }
  }
}
