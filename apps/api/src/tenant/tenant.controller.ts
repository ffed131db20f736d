/** The caller's tenant over HTTP: what holds for all of its jobs and versions. */
import { type ApiConfig } from '#lib/config';
import { Body, Controller, Get, Inject, Patch } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { type z } from 'zod';
import { type Caller, CurrentCaller, NeedsRole } from '../auth/caller.js';
import { Answers, BODY_ERRORS } from '../openapi/answers.js';
import { tenantAnswer, tenantChange } from './tenant-answers.js';
import { API_CONFIG } from '../tokens.js';
import { type GridPrefixes, gridPrefixes } from './tenant-prefixes.js';
import { changeTenant, TENANT_DEFAULTS, type TenantSettings, tenantSettings } from './tenant-settings.js';

@ApiBearerAuth()
@Controller('api/v1/tenant')
export class TenantController {
  readonly #grid: GridPrefixes;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    this.#grid = gridPrefixes(config);
  }

  @Get()
  @Answers({ summary: 'Get the settings of the tenant', schema: tenantAnswer })
  async get(@CurrentCaller() { tenant }: Caller) {
    return answerOf(tenant, await tenantSettings(this.dataSource.manager, tenant), this.#grid);
  }

  @Patch()
  @NeedsRole('admin')
  @Answers({
    summary: 'Change settings of the tenant; jobs that wait for known content are looked at again',
    schema: tenantAnswer,
    errors: [...BODY_ERRORS, 'role-required'],
  })
  async change(
    @Body({ schema: tenantChange }) body: z.infer<typeof tenantChange>,
    @CurrentCaller() { tenant, keyId }: Caller,
  ) {
    const after = await this.dataSource.transaction((manager) => changeTenant(manager, { tenant, actor: keyId }, body));
    return answerOf(tenant, after, this.#grid);
  }
}

function answerOf(tenant: string, settings: TenantSettings, grid: GridPrefixes): z.input<typeof tenantAnswer> {
  const { unknownContent, fourEyes, inputPrefixes, outputPrefixes } = settings;
  return {
    tenant,
    unknownContent,
    fourEyes,
    inputPrefixes: [...(inputPrefixes ?? grid.inputPrefixes)],
    outputPrefixes: [...(outputPrefixes ?? grid.outputPrefixes)],
    ownsPrefixes: { input: inputPrefixes !== null, output: outputPrefixes !== null },
    defaults: TENANT_DEFAULTS,
  };
}
