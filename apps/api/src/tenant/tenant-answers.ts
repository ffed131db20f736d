/** What the tenant routes take and give. */
import { z } from 'zod';
import { ofEach, SETTINGS, settingsOf } from '#lib/store';

const settings = ofEach((name) => SETTINGS[name].schema);

const changeOf = (changedBy: Parameters<typeof settingsOf>[0]) =>
  z
    .strictObject(Object.fromEntries(settingsOf(changedBy).map((name) => [name, settings[name]])))
    .partial()
    .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' });

export const tenantChange = changeOf('tenant').meta({ id: 'TenantChange' });
export const boundsChange = changeOf('operator').meta({ id: 'TenantBoundsChange' });

const usage = z
  .object({
    queuedJobs: z.int().describe('Jobs that have not ended'),
    storedBytes: z.int().describe('Bytes of logs, traces, recordings, and of jobs as they were asked for'),
    proposals: z.int().describe('Proposed profile versions that wait for a decision'),
  })
  .describe('What the tenant uses of its bounds now');

export const tenantAnswer = z
  .object({
    tenant: z.string(),
    ...settings,
    defaults: z.object(settings).describe('What holds where nobody has changed anything'),
    usage,
  })
  .meta({ id: 'Tenant' });

export const boundsAnswer = z
  .object({
    tenant: z.string(),
    ...Object.fromEntries(settingsOf('operator').map((name) => [name, settings[name]])),
    usage,
  })
  .meta({ id: 'TenantBounds' });
export const boundsList = z.object({ tenants: z.array(z.string()) }).meta({ id: 'TenantList' });
