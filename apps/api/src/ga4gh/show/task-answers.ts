/** What the TES routes take in their queries and give: the schemas of TES 1.1. */
import { z } from 'zod';
import { integerParameter, text, textRecord } from '../../http/text.js';
import { placeOf } from './page-token.js';
import { TES_STATES } from './tes-state.js';

export const VIEWS = ['MINIMAL', 'BASIC', 'FULL'] as const;
export type View = (typeof VIEWS)[number];

/** "Must be less than 2048." */
const PAGE_SIZE_MAXIMUM = 2_047;
const PAGE_SIZE = 256;
const TAGS = 100;
/** No tag of a job is longer. */
const TAG_CHARACTERS = 1_024;

/** A parameter without a value is as one that was not sent. */
const given = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema);

const view = given(z.enum(VIEWS).default('MINIMAL'));
export const taskQuery = z.object({ view });
export type TaskQuery = z.infer<typeof taskQuery>;

/** One arrives as a text, several as an array. */
const texts = z.union([text(TAG_CHARACTERS), z.array(text(TAG_CHARACTERS)).max(TAGS)]).optional();

export const taskListQuery = z
  .object({
    name_prefix: given(text(256).optional()),
    state: given(z.enum(TES_STATES).optional()),
    tag_key: texts,
    tag_value: texts.describe('By position of tag_key; an empty one stands for any value'),
    page_size: given(integerParameter(0, PAGE_SIZE_MAXIMUM).default(PAGE_SIZE)).describe('0: the default'),
    page_token: given(
      z
        .string()
        .refine((token) => placeOf(token) !== undefined, { error: 'is no next_page_token' })
        .optional(),
    ),
    view,
  })
  .superRefine(({ tag_key, tag_value }, context) => {
    if (listOf(tag_value).length <= listOf(tag_key).length) return;
    context.addIssue({ code: 'custom', path: ['tag_value'], message: 'has more entries than tag_key' });
  })
  .transform(({ name_prefix, state, tag_key, tag_value, page_size, page_token, view }) => ({
    view,
    state,
    namePrefix: name_prefix,
    tags: tagsOf(listOf(tag_key), listOf(tag_value)),
    pageSize: page_size || PAGE_SIZE,
    after: page_token === undefined ? undefined : placeOf(page_token),
  }));
export type TaskListQuery = z.infer<typeof taskListQuery>;

/** What tags a task must have: all of them, also two of one key, which none has. */
export interface TagFilter {
  readonly exact: readonly Readonly<Record<string, string>>[];
  /** Whatever their value. */
  readonly keys: readonly string[];
}

function tagsOf(keys: readonly string[], values: readonly string[]): TagFilter {
  const tags = keys.map((key, index) => ({ key, value: values[index] ?? '' }));
  return {
    exact: tags.filter(({ value }) => value !== '').map(({ key, value }) => ({ [key]: value })),
    keys: tags.filter(({ value }) => value === '').map(({ key }) => key),
  };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

const fileType = z.enum(['FILE', 'DIRECTORY']);

const executorLog = z
  .object({
    start_time: z.string(),
    end_time: z.string(),
    stdout: z.string().optional(),
    stderr: z.string().optional(),
    exit_code: z.int(),
  })
  .meta({ id: 'TesExecutorLog' });

const taskLog = z
  .object({
    logs: z.array(executorLog).describe('Of executors that have ended'),
    metadata: textRecord(),
    start_time: z.string().optional().describe('Absent where no attempt has begun'),
    end_time: z.string().optional(),
    outputs: z.array(z.object({ url: z.string(), path: z.string(), size_bytes: z.string() })),
    system_logs: z.array(z.string()).optional(),
  })
  .meta({ id: 'TesTaskLog' });
export type TaskLog = z.input<typeof taskLog>;

const resources = z.object({
  cpu_cores: z.number().optional(),
  ram_gb: z.number().optional(),
  disk_gb: z.number().optional(),
  preemptible: z.boolean().optional(),
  zones: z.array(z.string()).optional(),
  backend_parameters: textRecord().optional(),
  backend_parameters_strict: z.boolean().optional(),
});

export const taskAnswer = z
  .object({
    id: z.string(),
    state: z.enum(TES_STATES),
    name: z.string().optional(),
    description: z.string().optional(),
    inputs: z
      .array(
        z.object({
          name: z.string().optional(),
          description: z.string().optional(),
          url: z.string().optional(),
          path: z.string(),
          type: fileType,
          content: z.string().optional(),
          streamable: z.boolean().optional(),
        }),
      )
      .optional(),
    outputs: z
      .array(
        z.object({
          name: z.string().optional(),
          description: z.string().optional(),
          url: z.string(),
          path: z.string(),
          path_prefix: z.string().optional(),
          type: fileType,
        }),
      )
      .optional(),
    resources: resources.optional(),
    executors: z
      .array(
        z.object({
          image: z.string(),
          command: z.array(z.string()),
          workdir: z.string().optional(),
          stdin: z.string().optional(),
          stdout: z.string().optional(),
          stderr: z.string().optional(),
          env: textRecord().optional(),
          ignore_error: z.boolean().optional(),
        }),
      )
      .optional(),
    volumes: z.array(z.string()).optional(),
    tags: textRecord().optional(),
    logs: z
      .array(taskLog)
      .optional()
      .describe('One, of the latest attempt; before the first, where there is something to say'),
    creation_time: z.string().optional(),
  })
  .meta({ id: 'TesTask' });
export type Task = z.input<typeof taskAnswer>;

export const taskList = z
  .object({ tasks: z.array(taskAnswer), next_page_token: z.string().optional() })
  .meta({ id: 'TesTaskList' });
export const createdTask = z.object({ id: z.string() }).meta({ id: 'TesCreatedTask' });
export const canceledTask = z.object({}).meta({ id: 'TesCanceledTask' });
