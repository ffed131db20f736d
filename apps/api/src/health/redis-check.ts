/** Whether Redis answers and takes writes: jobs reach the nodes through it. */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { type ApiConfig } from '#lib/config';
import { queueConnection } from '#lib/queue';
import { Redis } from 'ioredis';
import { type Logger } from 'pino';
import { API_CONFIG, LOGGER } from '../tokens.js';

const TIMEOUT_MS = 5_000;
const KEY = 'porin:ready';
const KEPT_MS = 60_000;

@Injectable()
export class RedisCheck implements OnApplicationShutdown {
  private readonly redis: Redis;

  constructor(@Inject(API_CONFIG) config: ApiConfig, @Inject(LOGGER) logger: Logger) {
    this.redis = new Redis({
      ...queueConnection(config.PORIN_REDIS_URL, { failFast: true }),
      commandTimeout: TIMEOUT_MS,
    });
    this.redis.on('error', (error: Error) => logger.warn({ err: error.message }, 'redis'));
  }

  /** Throws where it does not: a replica, one that is full, one that cannot save. */
  async write(): Promise<void> {
    await this.redis.set(KEY, new Date().toISOString(), 'PX', KEPT_MS);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
