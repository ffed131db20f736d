/** Registers and lists the named programs of a tenant. */
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { Application, Audit } from '#lib/database';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type Caller, CurrentCaller, NeedsRole } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';

const applicationSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,127}$/, 'lower-case letters, digits, ".", "_" and "-", at most 128'),
  image: z.string().min(1).max(512),
  commandPrefix: z.array(z.string().min(1).max(4096)).max(64).default([]),
  policy: z.enum(['learn', 'hold', 'refuse']).default('learn'),
  recordingsNeeded: z.int().min(1).max(100).default(3),
  distinctInputsNeeded: z.int().min(1).max(100).default(2),
});

@Controller('api/v1/applications')
export class ApplicationsController {
  constructor(private readonly dataSource: DataSource) {}

  @Post()
  @NeedsRole('admin')
  async create(
    @Body({ schema: applicationSchema }) body: z.infer<typeof applicationSchema>,
    @CurrentCaller() caller: Caller,
  ): Promise<Application> {
    return this.dataSource.transaction(async (manager) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(Application)
        .values({ ...body, tenant: caller.tenant, createdBy: caller.keyId })
        .orIgnore()
        .returning('id')
        .execute();
      const id = (inserted.raw as { id: string }[])[0]?.id;
      if (id === undefined)
        throw new PorinError('application-exists', `There is an application called ${body.name} already.`);
      await manager.insert(Audit, {
        tenant: caller.tenant,
        actor: caller.keyId,
        action: 'application.create',
        subjectType: 'application',
        subjectId: id,
        detail: body,
      });
      return manager.findOneByOrFail(Application, { id });
    });
  }

  @Get()
  list(@CurrentCaller() caller: Caller): Promise<Application[]> {
    return this.dataSource.manager.find(Application, { where: { tenant: caller.tenant }, order: { name: 'ASC' } });
  }

  @Get(':id')
  async get(@Param('id', { schema: z.uuid() }) id: string, @CurrentCaller() caller: Caller): Promise<Application> {
    const application = await this.dataSource.manager.findOneBy(Application, { id, tenant: caller.tenant });
    if (!application) throw new PorinError('not-found', `There is no application ${id}.`);
    return application;
  }
}
