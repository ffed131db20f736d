/** A recording as a worker stored it, checked before anything is learned from it: a worker is not to be believed. */
import {
  type Architecture,
  ARCHITECTURES,
  FILE_ACCESSES,
  PARTIAL_REASONS,
  type Recording,
  recordingDigest,
  syscallNumber,
} from '#lib/profiles';
import { z } from 'zod';

/** Far beyond what porin-recorder holds of one recording (docs/recorder-protocol.md): whatever is more is no recording of ours. */
const MAXIMA = { arguments: 50_000, files: 100_000, sockets: 50_000 } as const;
/** PATH_MAX, and what a variable in a path adds to it. */
const PATH_CHARACTERS = 4200;
const PROBLEMS_SHOWN = 10;

const count = z.int().min(0);
const callName = z.string().regex(/^[a-z_][a-z0-9_]{0,63}$/);
const hex = z.templateLiteral(['0x', z.string().regex(/^(0|[1-9a-f][0-9a-f]{0,15})$/)]);
const errnoName = z.string().regex(/^[A-Z][A-Z0-9_]{0,31}$/);
const result = z.union([z.literal('ok'), errnoName]);
const path = z.string().max(PATH_CHARACTERS);

const argumentUse = z.strictObject({
  call: callName,
  values: z.record(z.string().regex(/^[0-5]$/), hex),
  count,
  failures: z.record(errnoName, count),
});
const fileUse = z.strictObject({ path, access: z.enum(FILE_ACCESSES), result, resolved: z.boolean(), count });
const socketUse = z.strictObject({
  operation: z.enum(['connect', 'bind', 'send']),
  family: z.string().regex(/^AF_[A-Z0-9]{1,16}$/),
  address: path,
  result,
  count,
});
const recordingSchema: z.ZodType<Recording> = z.strictObject({
  version: z.literal(1),
  architecture: z.enum(ARCHITECTURES),
  calls: z.record(z.string(), count),
  refused: z.record(callName, z.record(errnoName, count)).exactOptional(),
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
    overflows: count.exactOptional(),
    ringFailures: count.exactOptional(),
    unresolvedPaths: count.exactOptional(),
  }),
  partialReasons: z.array(z.enum(PARTIAL_REASONS)),
  arguments: z.array(argumentUse).max(MAXIMA.arguments).exactOptional(),
  peakTasks: count.exactOptional(),
  files: z.array(fileUse).max(MAXIMA.files).exactOptional(),
  sockets: z.array(socketUse).max(MAXIMA.sockets).exactOptional(),
});

/** The recording, or in words why it cannot be one of this architecture with this digest. */
export function readStoredRecording(
  stored: { readonly digest: string; readonly content: unknown },
  architecture: Architecture,
): Recording | string {
  const { data, error } = recordingSchema.safeParse(stored.content);
  if (!data)
    return `it is malformed: ${error.issues
      .slice(0, PROBLEMS_SHOWN)
      .map(({ path, message }) => `${path.join('.')} ${message}`)
      .join(', ')}`;
  if (data.architecture !== architecture) return `it is of ${data.architecture}, its build of ${architecture}`;
  const refused = Object.keys(data.refused ?? {});
  const names = [...Object.keys(data.calls), ...refused, ...(data.arguments ?? []).map(({ call }) => call)];
  const unknown = [...new Set(names)].filter((name) => syscallNumber(architecture, name) === undefined);
  if (unknown.length > 0) return `it names calls that ${architecture} does not have: ${unknown.join(', ')}`;
  return recordingDigest(data) === stored.digest ? data : 'its digest is not that of its content';
}
