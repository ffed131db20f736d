/** Where the approved version of a build stands between audit and enforcement, as answers have it. */
import { STAGES } from '#lib/profiles';
import { z } from 'zod';

const count = (of: string) => z.object({ have: z.int(), need: z.int() }).describe(of);

export const promotion = z
  .object({
    sentence: z
      .string()
      .describe(
        'All of it in one: "audit: 3 of 5 quiet runs, 2 of 3 inputs", or that a person decides where no recordings are behind the version',
      ),
    quietRuns: count(
      'Runs since the last one with a denial that ended with an expected exit code, were recorded completely and did the program’s work',
    ),
    inputs: count('Different inputs among them'),
    runs: z.object({ have: z.int(), most: z.int() }).describe('Of any kind; after the last one a person decides'),
    until: z.iso.datetime().describe('When it ends unpromoted'),
    isOver: z.boolean().describe('It ended without a promotion: jobs of the build wait for a person'),
  })
  .meta({ id: 'Promotion' });

export const stage = z
  .object({
    profileId: z.uuid().describe('The approved version'),
    stage: z.enum(STAGES),
    since: z.date().nullable(),
    promotion: promotion.nullable().describe('Null where it is enforced'),
  })
  .meta({ id: 'Stage' });
