/** What is told of one recording: what it saw, how complete that is, and whether anything is learned from it. */
import { ARCHITECTURES, FILE_ACCESSES, MONITORINGS } from '#lib/profiles';
import { z } from 'zod';
import { attempt, executor } from '../show/job-answers.js';

export const recordingQuery = z.strictObject({ executor, attempt });
export type RecordingQuery = z.infer<typeof recordingQuery>;

const errnos = z.record(z.string(), z.int()).describe('By errno’s name, how often');
const heldBy = z
  .enum(['allowed', 'refused', 'absent'])
  .nullable()
  .describe(
    'By name, whatever the conditions on its arguments; "refused" quietly; null where there is no such version',
  );

const call = z
  .object({
    name: z.string(),
    count: z.int().describe('Calls that entered the kernel'),
    refused: errnos.describe('Calls that a filter answered before they entered the kernel'),
    approved: heldBy,
    proposed: heldBy,
  })
  .meta({ id: 'RecordedCall' });

const certificate = z
  .object({
    armedBeforeStart: z.boolean(),
    started: z.boolean(),
    cleanDrain: z.boolean(),
    payloadEndedOnItsOwn: z.boolean(),
    compatCalls: z.int(),
    x32Calls: z.int(),
    unknownCalls: z.int(),
    ioUringSetups: z.int(),
    recursionMisses: z.int(),
    mapFailures: z.int(),
    foreignProcesses: z.int(),
    supervisorCalls: z.int(),
    execs: z.int(),
    overflows: z.int().exactOptional(),
    ringFailures: z.int().exactOptional(),
    unresolvedPaths: z.int().exactOptional(),
  })
  .describe('The facts behind its completeness');

export const recordingAnswer = z
  .object({
    executorRunId: z.uuid(),
    attemptNumber: z.int(),
    position: z.int(),
    buildId: z.uuid(),
    monitoring: z.enum(MONITORINGS),
    architecture: z.enum(ARCHITECTURES),
    digest: z.string(),
    createdAt: z.date(),
    consideredAt: z.date().nullable(),
    teaches: z.boolean().describe('Whether profiles of its build are learned from it'),
    reason: z.string().nullable().describe('Why nothing is learned from it; null where it teaches'),
    partialReasons: z.array(
      z.object({ reason: z.string().describe('By code'), text: z.string().describe('In words') }),
    ),
    certificate,
    approvedProfileId: z.uuid().nullable(),
    proposedProfileId: z.uuid().nullable(),
    calls: z.array(call).readonly().describe('Sorted by name'),
    arguments: z
      .array(
        z.object({
          call: z.string(),
          values: z.record(z.string(), z.string()).describe('By argument, "0" to "5"; hexadecimal'),
          count: z.int().describe('Calls that entered the kernel'),
          failures: errnos,
        }),
      )
      .readonly()
      .nullable()
      .describe('Null at monitoring "syscalls"'),
    peakTasks: z.int().nullable().describe('Processes and threads at once, at most; null where they were not counted'),
    files: z
      .array(
        z.object({
          path: z.string(),
          access: z.enum(FILE_ACCESSES),
          result: z.string().describe('"ok", or an errno’s name'),
          resolved: z.boolean().describe('The kernel’s own path; false: the text that was asked for'),
          count: z.int(),
        }),
      )
      .readonly()
      .nullable()
      .describe('Null but at monitoring "files"'),
    sockets: z
      .array(
        z.object({
          operation: z.enum(['connect', 'bind', 'send']),
          family: z.string(),
          address: z.string(),
          result: z.string(),
          count: z.int(),
        }),
      )
      .readonly()
      .nullable()
      .describe('Null but at monitoring "files"'),
  })
  .meta({ id: 'Recording' });
