/** Liveness and readiness, for a supervisor or a load balancer. */
import { Controller, Get, Inject, Res } from '@nestjs/common';
import { type Response } from 'express';
import { DataSource } from 'typeorm';
import { Public } from '../auth/caller.js';
import { Dispatcher } from '../dispatch/dispatcher.js';

const CHECK_TIMEOUT_MS = 3_000;

@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(Dispatcher) private readonly dispatcher: Dispatcher,
  ) {}

  @Get('live')
  live(): { status: 'up' } {
    return { status: 'up' };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<Record<string, string>> {
    const checks = {
      postgres: () => this.dataSource.query('SELECT 1'),
      redis: () => this.dispatcher.ping(),
    };
    const states = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, (await inTime(check())) ? 'up' : 'down'] as const),
    );
    const up = states.every(([, state]) => state === 'up');
    response.status(up ? 200 : 503);
    return { status: up ? 'up' : 'down', ...Object.fromEntries(states) };
  }
}

async function inTime(check: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), CHECK_TIMEOUT_MS)));
  try {
    return await Promise.race([check.then(() => true), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
