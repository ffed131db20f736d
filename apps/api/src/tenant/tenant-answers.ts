/** What the tenant routes take and give. */
import { UNKNOWN_CONTENT } from '#lib/profiles';
import { z } from 'zod';

const fields = {
  unknownContent: z
    .enum(UNKNOWN_CONTENT)
    .describe(
      'What jobs get whose image is of no registered application: "learn", they run and are learned from; "hold", they wait; "refuse", they end EXECUTOR_ERROR',
    ),
  fourEyes: z
    .boolean()
    .describe(
      'Whether another person must approve: not the one who proposed a version by hand, nor who submitted the jobs that it comes from. A person is an API key',
    ),
};

export const tenantChange = z
  .strictObject(fields)
  .partial()
  .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' })
  .meta({ id: 'TenantChange' });

const prefixes = z.array(z.string());

export const tenantAnswer = z
  .object({
    tenant: z.string(),
    ...fields,
    inputPrefixes: prefixes.describe(
      'URL prefixes that its inputs may come from; other tenants may name none of its own',
    ),
    outputPrefixes: prefixes.describe('URL prefixes that its outputs may go to'),
    ownsPrefixes: z
      .object({ input: z.boolean(), output: z.boolean() })
      .describe('Whether they are its own; else they are those of the grid. The operator sets them'),
    defaults: z.object(fields).describe('What holds where nobody has changed anything'),
  })
  .meta({ id: 'Tenant' });
