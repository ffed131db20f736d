/** What a job's submission may say; the bounds and the checks of paths are those of libs/jobs. */
import {
  checkJobSpecification,
  DEFAULT_PRIORITY,
  DEFAULT_RESOURCES,
  FILE_TYPES,
  MAXIMUM_PRIORITIES,
  PRIORITY_BOUNDS,
  PUBLISH_ON,
  RESOURCE_BOUNDS,
  type Resources,
  SPECIFICATION_BOUNDS,
} from '#lib/jobs';
import { ARCHITECTURES, ENFORCEMENTS, MONITORINGS } from '#lib/profiles';
import { z } from 'zod';
import { secretName } from '../../secrets/secret-answers.js';
import { text, textRecord } from '../../http/text.js';

const bounds = SPECIFICATION_BOUNDS;

/** Its grammar is `parseDataUrl`, which says how to write what it refuses. */
const dataUrl = text(bounds.urlCharacters).meta({ format: 'uri' });
const name = text(bounds.nameCharacters).min(1);
const argument = text(bounds.argumentCharacters);

const inputSchema = z.strictObject({
  name: name.exactOptional(),
  url: dataUrl.exactOptional(),
  content: text(bounds.contentBytes)
    .refine((content) => Buffer.byteLength(content) <= bounds.contentBytes, {
      error: `must be at most ${bounds.contentBytes} bytes; pass more by url`,
    })
    .exactOptional()
    .describe('The input itself, instead of a url'),
  path: text(bounds.pathBytes).describe('Absolute path in the container'),
  type: z.enum(FILE_TYPES).exactOptional().describe('"DIRECTORY": with all files below it; "FILE" by default'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits')
    .exactOptional()
    .describe('Checked before the payload starts'),
});
const outputSchema = z.strictObject({
  name: name.exactOptional(),
  url: dataUrl,
  path: text(bounds.pathBytes).describe(
    'Absolute path in the container of the regular file or the directory to publish; with pathPrefix, a pattern (POSIX.1-2017, XCU, 2.13)',
  ),
  type: z
    .enum(FILE_TYPES)
    .exactOptional()
    .describe('"DIRECTORY": with all files below it, whose URLs begin with url; "FILE" by default'),
  pathPrefix: text(bounds.pathBytes)
    .exactOptional()
    .describe('The directory above a pattern that is taken off the paths of its files; the rest is appended to url'),
});

const executorSchema = z.strictObject({
  application: text(128).exactOptional(),
  image: text(bounds.imageCharacters).min(1).exactOptional().describe('Instead of an application'),
  command: z
    .array(argument)
    .max(bounds.arguments)
    .default([])
    .describe('Appended to the application’s command prefix; for an image, the whole argument vector'),
  environment: textRecord({
    name: text(bounds.argumentCharacters).regex(/^[A-Za-z_][A-Za-z0-9_]*$/),
    value: argument,
    maximum: bounds.environmentVariables,
  }).default({}),
  workingDirectory: text(bounds.pathBytes).exactOptional(),
  stdin: text(bounds.pathBytes)
    .exactOptional()
    .describe('Absolute path in the container of a file that an input or an earlier executor put there'),
  stdout: text(bounds.pathBytes)
    .exactOptional()
    .describe('Absolute path in the container of the file that is made of it; the log has it as well'),
  stderr: text(bounds.pathBytes).exactOptional(),
  ignoreError: z
    .boolean()
    .exactOptional()
    .describe('The next executor runs though the payload of this one failed; not after a limit or a refused call'),
});

const resource = (of: keyof Resources) =>
  z.int().min(RESOURCE_BOUNDS[of].minimum).max(RESOURCE_BOUNDS[of].maximum).default(DEFAULT_RESOURCES[of]);

const jobFields = z.strictObject({
  name: text(bounds.nameCharacters).default(''),
  executors: z.array(executorSchema).min(1).max(bounds.executors),
  inputs: z.array(inputSchema).max(bounds.references).default([]),
  outputs: z.array(outputSchema).max(bounds.references).default([]),
  volumes: z
    .array(text(bounds.pathBytes))
    .max(bounds.volumes)
    .exactOptional()
    .describe('Absolute paths in the container of empty directories that the executors share'),
  secrets: z
    .array(secretName)
    .min(1)
    .max(bounds.secrets)
    .refine((names) => new Set(names).size === names.length, { error: 'must not name a secret twice' })
    .exactOptional()
    .describe('Names of secrets that open its inputs, outputs and images'),
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
    .describe(
      `Higher goes first, among the jobs of the tenant; at most ${MAXIMUM_PRIORITIES.submitter} for submitters, ${MAXIMUM_PRIORITIES.reviewer} for reviewers`,
    ),
  tags: textRecord({
    name: text(bounds.tagNameCharacters).min(1),
    value: text(bounds.tagValueCharacters),
    maximum: bounds.tags,
  }).default({}),
});

export const jobSchema = jobFields
  .superRefine((job, context) => {
    const problems = checkJobSpecification(job);
    for (const { at, message } of problems) context.addIssue({ code: 'custom', path: pathOf(at), message });
  })
  .meta({ id: 'NewJob' });

export type JobRequest = z.infer<typeof jobSchema>;

/** `inputs[2].path` as zod writes it. */
function pathOf(at: string): (string | number)[] {
  return at.split(/[.[\]]+/).flatMap((part) => (part === '' ? [] : [/^\d+$/.test(part) ? Number(part) : part]));
}
