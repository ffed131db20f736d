/** Jobs over HTTP: submit, look at, list, cancel. */
import { Body, Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { Executor, Job } from '#lib/database';
import { type Response } from 'express';
import { Brackets, DataSource } from 'typeorm';
import { z } from 'zod';
import { atLeast, type Caller, CurrentCaller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { cancelJob } from './cancel-job.js';
import { type JobRequest, jobSchema } from './job-schema.js';
import { submitJob } from './submit-job.js';

const idSchema = z.uuid();
const listSchema = z.object({
  state: z.string().max(32).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  /** The id of the last job of the page before. */
  after: z.uuid().optional(),
});
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

@Controller('api/v1/jobs')
export class JobsController {
  constructor(private readonly dataSource: DataSource) {}

  @Post()
  async submit(
    @Body({ schema: jobSchema }) body: JobRequest,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
    @CurrentCaller() caller: Caller,
    @Res({ passthrough: true }) response: Response,
  ) {
    if (idempotencyKey !== undefined && !IDEMPOTENCY_KEY.test(idempotencyKey)) {
      throw new PorinError('idempotency-key-invalid', 'An Idempotency-Key is 1 to 255 visible ASCII characters.');
    }
    const { id, created } = await this.dataSource.transaction((manager) =>
      submitJob(manager, caller, body, idempotencyKey),
    );
    response.status(created ? 201 : 200).header('Location', `/api/v1/jobs/${id}`);
    return this.get(id, caller);
  }

  @Get()
  async list(@Query({ schema: listSchema }) query: z.infer<typeof listSchema>, @CurrentCaller() caller: Caller) {
    const select = this.visible(caller)
      .orderBy('job.created_at', 'DESC')
      .addOrderBy('job.id', 'DESC')
      .limit(query.limit);
    if (query.state !== undefined) select.andWhere('job.state = :state', { state: query.state });
    if (query.after !== undefined) {
      select.andWhere('(job.created_at, job.id) < (SELECT created_at, id FROM job WHERE id = :after)', {
        after: query.after,
      });
    }
    const jobs = await select.getMany();
    return { jobs, next: jobs.length === query.limit ? (jobs.at(-1)?.id ?? null) : null };
  }

  @Get(':id')
  async get(@Param('id', { schema: idSchema }) id: string, @CurrentCaller() caller: Caller) {
    const job = await this.visible(caller).andWhere('job.id = :id', { id }).getOne();
    if (!job) throw new PorinError('not-found', `There is no job ${id}.`);
    const executors = await this.dataSource.manager.find(Executor, {
      where: { jobId: id },
      order: { position: 'ASC' },
    });
    return { ...job, executors };
  }

  @Post(':id/cancel')
  @HttpCode(200)
  async cancel(@Param('id', { schema: idSchema }) id: string, @CurrentCaller() caller: Caller) {
    await this.get(id, caller);
    await this.dataSource.transaction((manager) => cancelJob(manager, id));
    return this.get(id, caller);
  }

  /** A submitter sees the jobs of its own key; reviewers and admins see the tenant's. */
  private visible(caller: Caller) {
    return this.dataSource.manager
      .createQueryBuilder(Job, 'job')
      .where('job.tenant = :tenant', { tenant: caller.tenant })
      .andWhere(
        new Brackets((where) =>
          atLeast(caller.role, 'reviewer')
            ? where.where('true')
            : where.where('job.submitted_by = :keyId', { keyId: caller.keyId }),
        ),
      );
  }
}
