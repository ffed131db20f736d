/** Liveness and readiness, for a supervisor or a load balancer. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { type Response } from 'express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { Public } from '../auth/caller.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { Answers } from '../openapi/answers.js';

const CHECK_TIMEOUT_MS = 3_000;

const state = z.enum(['up', 'down']);
const live = z.object({ status: z.literal('up') }).meta({ id: 'Live' });
const ready = z.object({ status: state, postgres: state, redis: state }).meta({ id: 'Ready' });

@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(Dispatcher) private readonly dispatcher: Dispatcher,
  ) {}

  @Get('live')
  @Answers({ summary: 'Say that the process runs', schema: live, open: true })
  live() {
    return { status: 'up' } as const;
  }

  @Get('ready')
  @ApiResponse({ status: 503, description: 'Postgres or Redis does not answer', standardSchema: ready })
  @Answers({ summary: 'Say whether Postgres and Redis answer', schema: ready, open: true })
  async ready(@Res({ passthrough: true }) response: Response) {
    const [postgres, redis] = await Promise.all([
      stateOf(this.dataSource.query('SELECT 1')),
      stateOf(this.dispatcher.ping()),
    ]);
    const status = postgres === 'up' && redis === 'up' ? 'up' : 'down';
    response.status(status === 'up' ? 200 : 503);
    return { status, postgres, redis } as const;
  }
}

async function stateOf(check: Promise<unknown>): Promise<z.infer<typeof state>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'down'>((resolve) => (timer = setTimeout(() => resolve('down'), CHECK_TIMEOUT_MS)));
  try {
    return await Promise.race([check.then(() => 'up' as const), late]);
  } catch {
    return 'down';
  } finally {
    clearTimeout(timer);
  }
}
