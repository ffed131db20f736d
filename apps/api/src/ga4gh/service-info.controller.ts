/** What the TES service says of itself: GA4GH's service-info, everywhere that clients ask for it. */
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiBearerAuth } from '@nestjs/swagger';
import { type ApiConfig } from '#lib/config';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { type Caller, CurrentCaller } from '../auth/caller.js';
import { Answers } from '../openapi/answers.js';
import { gridPrefixes, tenantPrefixes } from '../tenant/tenant-prefixes.js';
import { API_CONFIG } from '../tokens.js';
import { BACKEND_PARAMETERS } from './submit/backend-parameters.js';

/** That of package.json. */
export const PORIN_VERSION = '0.1.0';
const TES_VERSION = '1.1.0';

const serviceInfo = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.object({ group: z.string(), artifact: z.literal('tes'), version: z.string() }),
    description: z.string(),
    organization: z.object({ name: z.string(), url: z.string() }),
    version: z.string(),
    storage: z.array(z.string()).describe('URL prefixes that inputs may come from or outputs go to'),
    tesResources_backend_parameters: z.array(z.string()),
  })
  .meta({ id: 'TesServiceInfo' });

/** py-tes asks at the first two, Nextflow beside the first path or at the root, Snakemake's older py-tes at the last. */
const PATHS = [
  'ga4gh/tes/v1/service-info',
  'v1/service-info',
  'ga4gh/tes/service-info',
  'service-info',
  'v1/tasks/service-info',
];

@ApiBearerAuth()
@Controller()
export class ServiceInfoController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  @Get(PATHS)
  @Answers({ summary: 'Get what the TES service is and offers', schema: serviceInfo, problem: 'TesProblem' })
  async get(@CurrentCaller() { tenant }: Caller): Promise<z.input<typeof serviceInfo>> {
    const { PORIN_ORGANIZATION_NAME: name, PORIN_ORGANIZATION_URL: url } = this.config;
    const prefixes = await tenantPrefixes(this.dataSource.manager, tenant, gridPrefixes(this.config));
    return {
      id: 'porin.tes',
      name: 'Porin',
      type: { group: 'org.ga4gh', artifact: 'tes', version: TES_VERSION },
      description: 'Runs tasks in containers under learned seccomp profiles.',
      organization: { name, url },
      version: PORIN_VERSION,
      storage: [...new Set([...prefixes.inputPrefixes, ...prefixes.outputPrefixes])],
      tesResources_backend_parameters: [...BACKEND_PARAMETERS],
    };
  }
}
