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

/** What operators alone change (porin-admin tenant set): it is the grid's. */
const gridFields = {
  imageRegistries: z
    .array(z.string())
    .nullable()
    .describe('Registries that images may come from, within what the nodes allow; null: all that the nodes allow'),
  localImages: z
    .array(z.string())
    .nullable()
    .describe('Images of a node that may be run without a registry, within what it allows; null: all that it allows'),
};

export const tenantAnswer = z
  .object({
    tenant: z.string(),
    ...fields,
    ...gridFields,
    defaults: z.object({ ...fields, ...gridFields }).describe('What holds where nobody has changed anything'),
  })
  .meta({ id: 'Tenant' });
