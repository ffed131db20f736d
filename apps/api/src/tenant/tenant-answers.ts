/** What the tenant routes take and give. */
import { z } from 'zod';
import { ofEach, SETTINGS, settingsOf } from './settings.js';

const settings = ofEach((name) => SETTINGS[name].schema);

export const tenantChange = z
  .strictObject(Object.fromEntries(settingsOf('tenant').map((name) => [name, settings[name]])))
  .partial()
  .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' })
  .meta({ id: 'TenantChange' });

export const tenantAnswer = z
  .object({
    tenant: z.string(),
    ...settings,
    defaults: z.object(settings).describe('What holds where nobody has changed anything'),
    usage: z
      .object({
        queuedJobs: z.int().describe('Jobs that have not ended'),
        storedBytes: z.int().describe('Bytes of stored logs, traces and recordings'),
        proposals: z.int().describe('Proposed profile versions that wait for a decision'),
      })
      .describe('What the tenant uses of its bounds now'),
  })
  .meta({ id: 'Tenant' });
