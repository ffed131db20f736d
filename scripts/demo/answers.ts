/** What the demo reads of the API's answers; other fields are let through unseen. */
import { JOB_STATES } from '#lib/jobs';
import { z } from 'zod';

export const applicationSchema = z.object({ id: z.string(), name: z.string() });
export const submittedSchema = z.object({ id: z.string() });

const denialSchema = z.object({
  call: z.string(),
  arguments: z.array(z.string()),
  action: z.string(),
  errno: z.string().nullish(),
  description: z.string(),
  class: z.string().nullable(),
  count: z.number(),
});
export type Denial = z.infer<typeof denialSchema>;

const runSchema = z.object({
  enforcement: z.string(),
  monitoring: z.string(),
  wallUs: z.number().nullable(),
  exitCode: z.number().nullable(),
  denials: z.array(denialSchema),
  recording: z.object({ partialReasons: z.array(z.string()) }).nullable(),
});

export const jobSchema = z.object({
  id: z.string(),
  state: z.enum(JOB_STATES),
  waitingReason: z.string().nullable(),
  waitingReasonText: z.string().nullish(),
  errorCode: z.string().nullable(),
  errorMessage: z.string().nullable(),
  attempts: z.array(z.object({ number: z.number(), node: z.string() })),
  outputs: z.array(z.object({ path: z.string(), sha256: z.string().nullable() })),
  runs: z.array(runSchema),
});
export type JobAnswer = z.infer<typeof jobSchema>;

export const profileListSchema = z.object({ profiles: z.array(z.object({ id: z.string() })) });
export const profileSchema = z.object({
  id: z.string(),
  number: z.number(),
  digest: z.string(),
  state: z.string(),
  recordings: z.array(z.unknown()),
  profile: z.record(z.string(), z.unknown()),
  coverage: z.record(z.string(), z.object({ seenIn: z.number(), of: z.number() })),
  lint: z.array(z.object({ name: z.string(), kind: z.string(), reason: z.string() })),
  stage: z.string().nullable(),
  promotion: z.object({ sentence: z.string() }).nullable(),
  decisions: z.array(z.object({ rule: z.string().nullable(), reason: z.string() })),
});
export type ProfileAnswer = z.infer<typeof profileSchema>;

/** What the demo shows of a review: what the version adds, and the denials that it comes from. */
export const reviewSchema = z.object({
  calls: z.array(
    z.object({
      name: z.string(),
      class: z.string(),
      change: z.string(),
      allows: z.string(),
      origin: z.object({ origin: z.string() }).nullable(),
    }),
  ),
  evidence: z.array(z.object({ description: z.string(), class: z.string().nullable(), runs: z.number() })),
});
export type ReviewAnswer = z.infer<typeof reviewSchema>;

const namesDiffSchema = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  unchanged: z.array(z.string()),
});
export const diffSchema = z.object({ previous: namesDiffSchema.nullable(), engineDefault: namesDiffSchema });
export type DiffAnswer = z.infer<typeof diffSchema>;

export const overheadSchema = z.object({
  levels: z.array(
    z.object({
      level: z.object({ enforcement: z.string(), monitoring: z.string() }),
      n: z.number(),
      medianWallUs: z.number(),
      ratio: z.number().nullable(),
      comparedRuns: z.number(),
      reason: z.string().nullable(),
    }),
  ),
});
export type LevelAnswer = z.infer<typeof overheadSchema>['levels'][number];

/** What there is of a secret for whoever asks: never its value. */
export const secretSchema = z.record(z.string(), z.unknown());

/** A TES task in the view FULL. */
export const taskSchema = z.object({
  id: z.string(),
  name: z.string().optional(),
  state: z.string(),
  logs: z.array(z.object({ metadata: z.record(z.string(), z.string()) })),
});
export type TaskAnswer = z.infer<typeof taskSchema>;

/** RFC 9457. */
export const problemSchema = z.object({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
});
