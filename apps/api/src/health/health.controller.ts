/** Liveness and readiness, for a supervisor or a load balancer. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { within } from '#lib/jobs';
import { type FastifyReply } from 'fastify';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../auth/caller.js';
import { Answers } from '../openapi/answers.js';
import { RedisCheck } from './redis-check.js';

const CHECK_TIMEOUT_MS = 3_000;
/** Anybody may ask, as often as they like: this long, they all get the same answer. */
const ANSWER_KEPT_MS = 500;

const state = z.enum(['up', 'down']);
const live = z.object({ status: z.literal('up') }).meta({ id: 'Live' });
const ready = z
  .object({
    status: state,
    postgres: state,
    redis: state,
    dispatcher: state.describe(
      'Whether one leads. Jobs are taken without one too, and wait; it decides nothing about "status"',
    ),
  })
  .meta({ id: 'Ready' });

interface Services {
  readonly postgres: z.infer<typeof state>;
  readonly redis: z.infer<typeof state>;
  readonly dispatcher: z.infer<typeof state>;
}

@Public()
@Controller('health')
export class HealthController {
  private latest: { readonly services: Promise<Services>; untilMs: number } | undefined;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(RedisCheck) private readonly redis: RedisCheck,
  ) {}

  @Get('live')
  @Answers({ summary: 'Say that the process runs', schema: live, open: true })
  live() {
    return { status: 'up' } as const;
  }

  @Get('ready')
  @ApiResponse({
    status: 503,
    description: 'Postgres or Redis does not answer, or takes no writes',
    standardSchema: ready,
  })
  @Answers({ summary: 'Say whether Postgres and Redis answer and take writes', schema: ready, open: true })
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const { postgres, redis, dispatcher } = await this.checked();
    const status = postgres === 'up' && redis === 'up' ? 'up' : 'down';
    reply.status(status === 'up' ? 200 : 503);
    return { status, postgres, redis, dispatcher } as const;
  }

  private checked(): Promise<Services> {
    if (this.latest && performance.now() < this.latest.untilMs) return this.latest.services;
    const services = Promise.all([
      stateOf(this.writePostgres()),
      stateOf(this.redis.write()),
      stateOf(this.requireLeader()),
    ]).then(([postgres, redis, dispatcher]) => ({ postgres, redis, dispatcher }));
    const latest = { services, untilMs: Infinity };
    this.latest = latest;
    void services.then(() => (latest.untilMs = performance.now() + ANSWER_KEPT_MS));
    return services;
  }

  /** A standby, and a server that somebody has set to read-only, answer every question. */
  private async writePostgres(): Promise<void> {
    const sql = `SELECT current_setting('transaction_read_only') = 'off' AS writable`;
    const [row]: { writable: boolean }[] = await this.dataSource.query(sql);
    if (!row?.writable) throw new Error('Postgres is read-only');
  }

  private async requireLeader(): Promise<void> {
    const rows: unknown[] = await this.dataSource.query(
      'SELECT FROM dispatcher_lease WHERE expires_at > clock_timestamp()',
    );
    if (rows.length === 0) throw new Error('no dispatcher leads');
  }
}

function stateOf(check: Promise<unknown>): Promise<z.infer<typeof state>> {
  const late = () => new Error('no answer in time');
  return within(check, CHECK_TIMEOUT_MS, late).then(
    () => 'up',
    () => 'down',
  );
}
