/** What the routes of secrets take and give: a value is taken and never given. */
import { SECRET_KINDS, SECRET_SCHEMAS } from '#lib/secrets';
import { z } from 'zod';
import { text } from '../http/text.js';

const PREFIX_CHARACTERS = 1_024;
const PRINCIPALS = 100;

/** A comma stands between names in `porin_secrets` of TES. */
export const secretName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    'must be 1 to 63 letters, digits, dots, hyphens and underscores, and begin with a letter or digit',
  );

const place = {
  prefix: text(PREFIX_CHARACTERS).describe(
    'It opens URLs below this prefix and no others; of a registry, "registry.example.org/" or "registry.example.org/team/"',
  ),
  usableBy: z
    .array(text(200).min(1))
    .max(PRINCIPALS)
    .nullable()
    .default(null)
    .describe('Names of principals whose jobs may name it; null: whoever submits jobs of the tenant'),
};

export const newSecret = z
  .discriminatedUnion('kind', [
    SECRET_SCHEMAS.s3.extend(place),
    SECRET_SCHEMAS.bearer.extend(place),
    SECRET_SCHEMAS.basic.extend(place),
    SECRET_SCHEMAS.headers.extend(place),
    SECRET_SCHEMAS.registry.extend(place),
  ])
  .meta({ id: 'NewSecret' });
export type NewSecret = z.infer<typeof newSecret>;

export const secretAnswer = z
  .object({
    name: z.string(),
    kind: z.enum(SECRET_KINDS),
    prefix: z.string(),
    usableBy: z.array(z.string()).nullable(),
    createdAt: z.date(),
    changedAt: z.date(),
    changedBy: z.uuid().describe('The principal'),
  })
  .meta({ id: 'Secret' });
export const secretList = z.object({ secrets: z.array(secretAnswer) }).meta({ id: 'SecretList' });
