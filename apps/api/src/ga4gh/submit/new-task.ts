/** What a client says of a new task: tesTask of TES 1.1. */
import { hasWildcards, SPECIFICATION_BOUNDS } from '#lib/jobs';
import { z } from 'zod';
import { text, textRecord } from '../../http/text.js';

const bounds = SPECIFICATION_BOUNDS;
/** Of texts that are kept and shown, and mean nothing to Porin. */
const NAME_CHARACTERS = 1_024;
const DESCRIPTION_CHARACTERS = 65_536;
const ZONES = 100;
/** Supported and unsupported ones together. */
const BACKEND_PARAMETERS = 100;

/** The job's schema checks what a job has; here it is bounded, before anything is made of it. */
const path = text(bounds.pathBytes);
const argument = text(bounds.argumentCharacters);

const named = {
  name: text(NAME_CHARACTERS).optional(),
  description: text(DESCRIPTION_CHARACTERS).optional(),
};
const fileType = z.enum(['FILE', 'DIRECTORY']).optional();

const input = z.object({
  ...named,
  url: text(bounds.urlCharacters).optional().describe('A path without a scheme is one of file:'),
  path: path.describe('Absolute, in the container'),
  type: fileType,
  content: text(bounds.contentBytes)
    .optional()
    .describe(`At most ${bounds.contentBytes} bytes; where it is not empty, url is ignored`),
  streamable: z.boolean().optional(),
});

const output = z.object({
  ...named,
  url: text(bounds.urlCharacters),
  path: path.describe('Absolute, in the container'),
  path_prefix: path.optional(),
  type: fileType,
});

const executor = z.object({
  image: text(bounds.imageCharacters),
  command: z.array(argument).max(bounds.arguments),
  workdir: path.optional(),
  stdin: path.optional(),
  stdout: path.optional(),
  stderr: path.optional(),
  env: textRecord({ name: argument, value: argument, maximum: bounds.environmentVariables }).optional(),
  ignore_error: z.boolean().optional(),
});

const amount = z.number().min(0).optional();
const resources = z.object({
  cpu_cores: amount.describe('0: the default'),
  ram_gb: amount.describe('GiB; 0: the default'),
  disk_gb: amount.describe('GiB; 0: the default'),
  preemptible: z.boolean().optional().describe('Ignored, with a system log'),
  zones: z.array(text(NAME_CHARACTERS)).max(ZONES).optional().describe('Ignored, with a system log'),
  backend_parameters: textRecord({
    name: text(NAME_CHARACTERS),
    value: text(NAME_CHARACTERS),
    maximum: BACKEND_PARAMETERS,
  }).optional(),
  backend_parameters_strict: z.boolean().optional(),
});

const task = z
  .object({
    name: text(bounds.nameCharacters).optional(),
    description: named.description,
    inputs: z.array(input).max(bounds.references).optional(),
    outputs: z.array(output).max(bounds.references).optional(),
    resources: resources.optional(),
    executors: z.array(executor).min(1).max(bounds.executors),
    volumes: z.array(path).max(bounds.volumes).optional(),
    tags: textRecord({
      name: text(bounds.tagNameCharacters),
      value: text(bounds.tagValueCharacters),
      maximum: bounds.tags,
    }).optional(),
  })
  .superRefine(({ outputs = [] }, context) => {
    outputs.forEach(({ path, path_prefix }, index) => {
      if (!hasWildcards(path) || path_prefix) return;
      const message = 'is required where the path has wildcards';
      context.addIssue({ code: 'custom', path: ['outputs', index, 'path_prefix'], message });
    });
  });

/** Members that TES does not have are passed over, and so are those that are null. */
export const newTask = z.preprocess(withoutNulls, task).meta({ id: 'TesNewTask' });
export type NewTask = z.infer<typeof task>;

/** Whatever the names are: none of them is assigned by. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, withoutNulls(member)]));
}
