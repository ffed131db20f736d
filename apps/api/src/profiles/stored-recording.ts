/** A recording as a worker stored it, checked before anything is learned from it: a worker is not to be believed. */
import {
  type Architecture,
  ARCHITECTURES,
  PARTIAL_REASONS,
  type Recording,
  recordingDigest,
  syscallNumber,
} from '#lib/profiles';
import { z } from 'zod';

const count = z.int().min(0);
const recordingSchema: z.ZodType<Recording> = z.strictObject({
  version: z.literal(1),
  architecture: z.enum(ARCHITECTURES),
  calls: z.record(z.string(), count),
  certificate: z.strictObject({
    armedBeforeStart: z.boolean(),
    started: z.boolean(),
    cleanDrain: z.boolean(),
    payloadEndedOnItsOwn: z.boolean(),
    compatCalls: count,
    x32Calls: count,
    unknownCalls: count,
    ioUringSetups: count,
    recursionMisses: count,
    mapFailures: count,
    foreignProcesses: count,
    supervisorCalls: count,
    execs: count,
  }),
  partialReasons: z.array(z.enum(PARTIAL_REASONS)),
});

/** The recording, or in words why it cannot be one of this architecture with this digest. */
export function readStoredRecording(
  stored: { readonly digest: string; readonly content: unknown },
  architecture: Architecture,
): Recording | string {
  const { data, error } = recordingSchema.safeParse(stored.content);
  if (!data)
    return `it is malformed: ${error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join(', ')}`;
  if (data.architecture !== architecture) return `it is of ${data.architecture}, its build of ${architecture}`;
  const unknown = Object.keys(data.calls).filter((name) => syscallNumber(architecture, name) === undefined);
  if (unknown.length > 0) return `it names calls that ${architecture} does not have: ${unknown.join(', ')}`;
  return recordingDigest(data) === stored.digest ? data : 'its digest is not that of its content';
}
