/** What a job's submission may say; the bounds and the checks of paths are those of libs/jobs. */
import {
  checkJobSpecification,
  DEFAULT_PRIORITY,
  DEFAULT_RESOURCES,
  PRIORITY_BOUNDS,
  PUBLISH_ON,
  RESOURCE_BOUNDS,
  type Resources,
  SPECIFICATION_BOUNDS,
  URL_BOUNDS,
} from '#lib/jobs';
import { ARCHITECTURES, ENFORCEMENTS, MONITORINGS } from '#lib/profiles';
import { z } from 'zod';

const bounds = SPECIFICATION_BOUNDS;

/** Its grammar is `parseDataUrl`, which says how to write what it refuses. */
const dataUrl = z.string().max(URL_BOUNDS.characters).meta({ format: 'uri' });
const name = z.string().min(1).max(bounds.nameCharacters);
const argument = z.string().max(bounds.argumentCharacters);

const inputSchema = z.strictObject({
  name: name.exactOptional(),
  url: dataUrl.exactOptional(),
  content: z
    .string()
    .refine((content) => Buffer.byteLength(content) <= bounds.contentBytes, {
      error: `must be at most ${bounds.contentBytes} bytes; pass more by url`,
    })
    .exactOptional()
    .describe('The input itself, instead of a url'),
  path: z.string().describe('Absolute path in the container'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .exactOptional()
    .describe('Checked before the payload starts'),
});
const outputSchema = z.strictObject({
  name: name.exactOptional(),
  url: dataUrl,
  path: z.string().describe('Absolute path in the container of the regular file to publish'),
});

const executorSchema = z.strictObject({
  application: z.string().max(128).exactOptional(),
  image: z.string().min(1).max(bounds.imageCharacters).exactOptional().describe('Instead of an application'),
  command: z
    .array(argument)
    .max(bounds.arguments)
    .default([])
    .describe('Appended to the application’s command prefix; for an image, the whole argument vector'),
  environment: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), argument.regex(/^[^\0]*$/, 'must not contain null bytes'))
    .refine((variables) => Object.keys(variables).length <= bounds.environmentVariables, {
      error: `must have at most ${bounds.environmentVariables} variables`,
    })
    .default({}),
  workingDirectory: z.string().exactOptional(),
});

const resource = (of: keyof Resources) =>
  z.int().min(RESOURCE_BOUNDS[of].minimum).max(RESOURCE_BOUNDS[of].maximum).default(DEFAULT_RESOURCES[of]);

const jobFields = z.strictObject({
  name: z.string().max(bounds.nameCharacters).default(''),
  executors: z.array(executorSchema).min(1).max(bounds.executors),
  inputs: z.array(inputSchema).max(bounds.references).default([]),
  outputs: z.array(outputSchema).max(bounds.references).default([]),
  publishOn: z
    .enum(PUBLISH_ON)
    .default('complete')
    .describe(
      '"executor-error": outputs that exist are published also when the payload failed, unless it was refused calls',
    ),
  resources: z
    .strictObject({
      cpuMilli: resource('cpuMilli').describe('Thousandths of a core'),
      memoryBytes: resource('memoryBytes'),
      diskBytes: resource('diskBytes'),
      wallTimeS: resource('wallTimeS'),
    })
    .prefault({}),
  enforcement: z.enum(ENFORCEMENTS).exactOptional().describe('Less than the policy gives is for administrators only'),
  monitoring: z.enum(MONITORINGS).exactOptional(),
  architecture: z.enum(ARCHITECTURES).exactOptional().describe('By default that of the machine the API runs on'),
  priority: z
    .int()
    .min(PRIORITY_BOUNDS.minimum)
    .max(PRIORITY_BOUNDS.maximum)
    .default(DEFAULT_PRIORITY)
    .describe('Higher goes first'),
  tags: z
    .record(z.string().min(1).max(bounds.tagNameCharacters), z.string().max(bounds.tagValueCharacters))
    .refine((tags) => Object.keys(tags).length <= bounds.tags, { error: `must be at most ${bounds.tags}` })
    .default({}),
});

export const jobSchema = jobFields
  .superRefine((job, context) => {
    const problems = checkJobSpecification(job);
    for (const { at, message } of problems) context.addIssue({ code: 'custom', path: pathOf(at), message });
    if (problems.length > 0) return;
    for (const path of unstorable(job)) {
      context.addIssue({ code: 'custom', path, message: 'must not contain null bytes or halves of characters' });
    }
  })
  .meta({ id: 'NewJob' });

export type JobRequest = z.infer<typeof jobSchema>;

/** Where text is that Postgres takes neither as text nor in JSON: with a null byte, or half of a surrogate pair. */
function unstorable(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value === 'string') return /[\0\p{Cs}]/u.test(value) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((each, index) => unstorable(each, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...(unstorable(key).length > 0 ? [path] : []),
    ...unstorable(each, [...path, key]),
  ]);
}

/** `inputs[2].path` as zod writes it. */
function pathOf(at: string): (string | number)[] {
  return at.split(/[.[\]]+/).flatMap((part) => (part === '' ? [] : [/^\d+$/.test(part) ? Number(part) : part]));
}
