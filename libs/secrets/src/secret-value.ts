/** What a secret holds, by its kind: what opens the URLs, or the images of a registry, below its prefix. */
import { isReservedHeader } from '#lib/jobs';
import { z } from 'zod';

const VALUE_CHARACTERS = 16 * 1024;
const NAME_CHARACTERS = 256;
const HEADERS = 20;
/** Of all headers together: servers take no more. */
const HEADERS_CHARACTERS = 16 * 1024;

/** Neither a blank nor anything that ends a header. */
const word = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without blanks');
/** What every server reads alike (RFC 9110, section 5.5). */
const line = z
  .string()
  .min(1)
  .max(VALUE_CHARACTERS)
  .regex(/^[\x20-\x7e]*$/, 'must be one line of printable ASCII')
  .refine((text) => text.trim() === text, { error: 'must not begin or end with a blank' });
const printable = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .regex(/^\P{C}*$/u, 'must not contain control characters');

/** RFC 7617: the first colon ends the user. */
const user = printable(NAME_CHARACTERS)
  .min(1)
  .regex(/^[^:]*$/, 'must not contain ":"');
const password = printable(VALUE_CHARACTERS);

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, 'must be the name of a header (RFC 9110, section 5.1)')
  .refine((name) => !isReservedHeader(name), {
    error: 'is a header that Porin sends itself, or that no secret may be',
  });
const headers = z.record(headerName, line).superRefine((all, context) => {
  const names = Object.keys(all);
  const message =
    names.length === 0
      ? 'must have a member'
      : names.length > HEADERS
        ? `must have at most ${HEADERS} members`
        : Object.entries(all).reduce((sum, [name, value]) => sum + name.length + value.length, 0) > HEADERS_CHARACTERS
          ? `must have at most ${HEADERS_CHARACTERS} characters together`
          : new Set(names.map((name) => name.toLowerCase())).size < names.length
            ? 'must not have a header twice, in another case'
            : null;
  if (message !== null) context.addIssue({ code: 'custom', message });
});

/** Kind -> the members of its value. */
export const SECRET_SCHEMAS = {
  s3: z.strictObject({
    kind: z.literal('s3'),
    accessKeyId: word(NAME_CHARACTERS),
    secretAccessKey: word(VALUE_CHARACTERS),
    sessionToken: word(VALUE_CHARACTERS).exactOptional(),
  }),
  bearer: z.strictObject({ kind: z.literal('bearer'), token: word(VALUE_CHARACTERS) }),
  basic: z.strictObject({ kind: z.literal('basic'), user, password }),
  headers: z.strictObject({ kind: z.literal('headers'), headers }),
  registry: z.strictObject({ kind: z.literal('registry'), user, password }),
} as const;

export const secretValue = z.discriminatedUnion('kind', [
  SECRET_SCHEMAS.s3,
  SECRET_SCHEMAS.bearer,
  SECRET_SCHEMAS.basic,
  SECRET_SCHEMAS.headers,
  SECRET_SCHEMAS.registry,
]);
export type SecretValue = z.infer<typeof secretValue>;
export type SecretKind = SecretValue['kind'];
export const SECRET_KINDS = Object.keys(SECRET_SCHEMAS) as SecretKind[];
