/** What the profile routes take and give. */
import { APPROVAL_STAGES, ARCHITECTURES, CONDITION_CHANGES, PROFILE_STATES } from '#lib/profiles';
import { z } from 'zod';
import { nextPage, pageQuery } from '../http/page.js';

export const profileListQuery = z.strictObject({
  state: z.enum(PROFILE_STATES).optional(),
  applicationId: z.uuid().optional(),
  ...pageQuery,
});
export type ProfileListQuery = z.infer<typeof profileListQuery>;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 lower-case hexadecimal digits');

export const decisionSchema = z
  .strictObject({
    digest: digest.describe('Of the version that was reviewed; another one is refused'),
    reason: z.string().trim().min(1).max(4096),
  })
  .meta({ id: 'Decision' });

const summary = {
  id: z.uuid(),
  applicationId: z.uuid(),
  applicationName: z.string(),
  buildId: z.uuid(),
  contentDigest: z.string(),
  architecture: z.enum(ARCHITECTURES),
  number: z.int(),
  digest: z.string(),
  state: z.enum(PROFILE_STATES),
  basedOn: z.uuid().nullable().describe('The approved version that this one may only widen'),
  createdAt: z.date(),
  decidedAt: z.date().nullable(),
  calls: z.int().describe('System calls that it allows'),
};

export const profileSummary = z
  .object({ ...summary, recordings: z.int().describe('Recordings that it was merged from') })
  .meta({ id: 'ProfileSummary' });
export const profileList = z.object({ profiles: z.array(profileSummary), next: nextPage }).meta({ id: 'ProfileList' });

const rule = z.object({ names: z.array(z.string()).readonly(), action: z.literal('SCMP_ACT_ALLOW') });
export const profileDetail = z
  .object({
    ...summary,
    profile: z.object({
      version: z.literal(1),
      architecture: z.enum(ARCHITECTURES),
      rules: z.array(rule).readonly(),
      network: z.literal('none'),
    }),
    coverage: z
      .record(z.string(), z.object({ seenIn: z.int(), of: z.int() }))
      .describe('For each call, in how many of the recordings it was seen'),
    lint: z
      .array(z.object({ name: z.string(), kind: z.enum(['risky', 'withheld', 'rare']), reason: z.string() }))
      .readonly(),
    recordings: z.array(z.object({ executorRunId: z.uuid(), digest: z.string(), jobId: z.uuid().nullable() })),
    decisions: z.array(
      z.object({
        stage: z.enum(APPROVAL_STAGES),
        decidedBy: z.uuid().describe('The API key'),
        reason: z.string(),
        sequence: z.int(),
        createdAt: z.date(),
        statement: z.string().describe('Canonical JSON, as it was signed'),
        signature: z.string().describe('Ed25519, Base64'),
      }),
    ),
  })
  .meta({ id: 'ProfileDetail' });

const namesDiff = z
  .object({
    added: z.array(z.string()).readonly(),
    removed: z.array(z.string()).readonly(),
    unchanged: z.array(z.string()).readonly(),
  })
  .meta({ id: 'NamesDiff' });
export const profileDiff = z
  .object({
    previousId: z.uuid().nullable().describe('The version that it is based on, else the one before it'),
    previous: namesDiff.nullable(),
    engineDefault: namesDiff,
    conditions: z
      .array(
        z.object({
          name: z.string(),
          change: z.enum(CONDITION_CHANGES),
          admits: z.array(z.string()).readonly().describe('Alternatives that only this version allows, in words'),
          refuses: z
            .array(z.string())
            .readonly()
            .describe('Alternatives that only the version before allows, in words'),
        }),
      )
      .readonly()
      .describe('Calls whose conditions on arguments differ'),
  })
  .meta({ id: 'ProfileDiff' });

const ociArgument = z.object({ index: z.int(), value: z.int(), valueTwo: z.int(), op: z.string() });
export const ociSeccomp = z
  .object({
    defaultAction: z.string(),
    defaultErrnoRet: z.int(),
    architectures: z.array(z.string()).readonly(),
    syscalls: z
      .array(
        z.object({
          names: z.array(z.string()).readonly(),
          action: z.string(),
          errnoRet: z.int().optional(),
          args: z.array(ociArgument).readonly().optional(),
          comment: z.string().optional().describe('Where the format allows less than the profile'),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'OciSeccomp' });
