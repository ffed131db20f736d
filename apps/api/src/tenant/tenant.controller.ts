/** The caller's tenant over HTTP: what holds for all of its jobs and versions. */
import { Body, Controller, Get, Inject, Patch } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type ApiConfig } from '#lib/config';
import { DataSource } from 'typeorm';
import { type z } from 'zod';
import { type Caller, CurrentCaller, NeedsRole } from '../auth/caller.js';
import { Answers, BODY_ERRORS } from '../openapi/answers.js';
import { tenantAnswer, tenantChange } from './tenant-answers.js';
import { API_CONFIG } from '../tokens.js';
import { TENANT_DEFAULTS, type TenantSettings, tenantSettings, tenantUsage, type TenantUsage } from '#lib/store';
import { changeTenant } from './tenant-settings.js';

@ApiBearerAuth()
@Controller('api/v1/tenants/self')
export class TenantController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  @Get()
  @Answers({ summary: 'Get the settings and bounds of the tenant, and what it uses of them', schema: tenantAnswer })
  async get(@CurrentCaller() { tenant }: Caller) {
    const { manager } = this.dataSource;
    return this.#answerOf(tenant, await tenantSettings(manager, tenant), await tenantUsage(manager, tenant));
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
    @CurrentCaller() { tenant, principalId }: Caller,
  ) {
    const after = await this.dataSource.transaction((manager) =>
      changeTenant(manager, { tenant, actor: principalId }, body),
    );
    return this.#answerOf(tenant, after, await tenantUsage(this.dataSource.manager, tenant));
  }

  #answerOf(tenant: string, settings: TenantSettings, usage: TenantUsage): z.input<typeof tenantAnswer> {
    const {
      PORIN_IMAGE_REGISTRIES: imageRegistries = null,
      PORIN_LOCAL_IMAGES: localImages = null,
      PORIN_INPUT_URL_PREFIXES: inputPrefixes,
      PORIN_OUTPUT_URL_PREFIXES: outputPrefixes,
    } = this.config;
    const defaults = { ...TENANT_DEFAULTS, imageRegistries, localImages, inputPrefixes, outputPrefixes };
    return { tenant, ...settings, defaults, usage };
  }
}
