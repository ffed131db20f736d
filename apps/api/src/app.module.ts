/** All of the API's parts, made for one configuration. */
import { type DynamicModule, Module, StandardSchemaSerializerInterceptor } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type ApiConfig } from '#lib/config';
import { makeDataSource } from '#lib/database';
import { type ApprovalKeys } from '#lib/profiles';
import { type Logger } from 'pino';
import { ApplicationsController } from './applications/applications.controller.js';
import { AuthGuard } from './auth/auth.guard.js';
import { Authenticator } from './auth/authenticate.js';
import { DispatcherBell } from './dispatch/dispatcher-bell.js';
import { Facts } from './facts/facts.js';
import { SubmissionFacts } from './facts/submission-facts.js';
import { ProblemFilter } from './errors/problem.filter.js';
import { ServiceInfoController } from './ga4gh/service-info.controller.js';
import { UnansweredTasks } from './ga4gh/submit/unanswered-tasks.js';
import { ShortTasksController, TesTasksController } from './ga4gh/tasks.controller.js';
import { HealthController } from './health/health.controller.js';
import { RedisCheck } from './health/redis-check.js';
import { RateLimits } from './http/rate-limits.js';
import { RepeatConflicts } from './http/repeat-conflicts.js';
import { SchemaPipe } from './http/schema-pipe.js';
import { JobsController } from './jobs/jobs.controller.js';
import { Recordings } from './jobs/recordings/recordings.js';
import { SubmissionBatches } from './jobs/submit/send-submissions.js';
import { NodesController } from './nodes/nodes.controller.js';
import { OverheadController } from './overhead/overhead.controller.js';
import { ProfilesController } from './profiles/profiles.controller.js';
import { SecretsController } from './secrets/secrets.controller.js';
import { OperatorTenantsController } from './tenant/operator-tenants.controller.js';
import { TenantController } from './tenant/tenant.controller.js';
import { API_CONFIG, LOGGER, APPROVAL_KEYS } from './tokens.js';

export const CONTROLLERS = [
  ApplicationsController,
  HealthController,
  JobsController,
  NodesController,
  OverheadController,
  ProfilesController,
  SecretsController,
  // Before the tasks: it would be one of them.
  ServiceInfoController,
  TesTasksController,
  ShortTasksController,
  // Behind /tenants/self, which would be a name here.
  TenantController,
  OperatorTenantsController,
];

@Module({})
export class AppModule {
  static register(config: ApiConfig, logger: Logger, approvalKeys: ApprovalKeys): DynamicModule {
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRoot(makeDataSource({ url: config.PORIN_DATABASE_URL, applicationName: 'porin-api' }).options),
      ],
      controllers: CONTROLLERS,
      providers: [
        Authenticator,
        DispatcherBell,
        Facts,
        RedisCheck,
        Recordings,
        SubmissionBatches,
        SubmissionFacts,
        UnansweredTasks,
        { provide: API_CONFIG, useValue: config },
        { provide: RateLimits, useValue: new RateLimits(config) },
        { provide: LOGGER, useValue: logger },
        { provide: APPROVAL_KEYS, useValue: approvalKeys },
        { provide: APP_INTERCEPTOR, useClass: StandardSchemaSerializerInterceptor },
        { provide: APP_INTERCEPTOR, useClass: RepeatConflicts },
        { provide: APP_FILTER, useValue: new ProblemFilter(logger) },
        { provide: APP_PIPE, useValue: new SchemaPipe() },
        { provide: APP_GUARD, useClass: AuthGuard },
      ],
    };
  }
}
