/** What is the grid's to say of each tenant, over HTTP: for operators, who see nothing else of it. */
import { Body, Controller, Get, Param, Patch } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type AnyCaller, CurrentCaller, OperatorsOnly } from '../auth/caller.js';
import { Answers, BODY_ERRORS } from '../openapi/answers.js';
import { text } from '../http/text.js';
import { boundsAnswer, boundsChange, boundsList } from './tenant-answers.js';
import { settingsOf, type TenantSettings, tenantSettings, tenantUsage } from '#lib/store';
import { changeTenant } from './tenant-settings.js';

const name = text(200).min(1);

@ApiBearerAuth()
@Controller('api/v1/tenants')
@OperatorsOnly()
export class OperatorTenantsController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  @Answers({ summary: 'List the tenants by name', schema: boundsList })
  async list() {
    const rows: { tenant: string }[] = await this.dataSource.query(
      `SELECT tenant FROM principal WHERE tenant IS NOT NULL UNION SELECT tenant FROM tenant_setting ORDER BY tenant`,
    );
    return { tenants: rows.map(({ tenant }) => tenant) };
  }

  @Get(':tenant')
  @Answers({ summary: 'Get the bounds of a tenant, and what it uses of them', schema: boundsAnswer })
  get(@Param('tenant', { schema: name }) tenant: string) {
    return this.#answerOf(tenant);
  }

  @Patch(':tenant')
  @Answers({
    summary: 'Change the bounds of a tenant',
    schema: boundsAnswer,
    errors: [...BODY_ERRORS, 'prefix-refused'],
  })
  async change(
    @Param('tenant', { schema: name }) tenant: string,
    @Body({ schema: boundsChange }) body: z.infer<typeof boundsChange>,
    @CurrentCaller() { principalId }: AnyCaller,
  ) {
    await this.dataSource.transaction((manager) => changeTenant(manager, { tenant, actor: principalId }, body));
    return this.#answerOf(tenant);
  }

  async #answerOf(tenant: string): Promise<z.input<typeof boundsAnswer>> {
    const { manager } = this.dataSource;
    const settings = await tenantSettings(manager, tenant);
    const bounds = Object.fromEntries(settingsOf('operator').map((each) => [each, settings[each]])) as TenantSettings;
    return { tenant, ...bounds, usage: await tenantUsage(manager, tenant) };
  }
}
