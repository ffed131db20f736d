/** What the profile routes take and give. */
import {
  APPROVAL_STAGES,
  ARCHITECTURES,
  CALL_CLASSES,
  COMPARISONS,
  CONDITION_CHANGES,
  DECIDING_RULES,
  FILE_RIGHTS,
  IMPORT_FORMATS,
  LANDLOCK_STATUSES,
  ORIGINS,
  PROFILE_STATES,
  STAGES,
} from '#lib/profiles';
import { z } from 'zod';
import { nextPage, pageQuery } from '../http/page.js';
import { document, text } from '../http/text.js';
import { learning } from './learning-answer.js';
import { promotion } from './stages/stage-answer.js';

export const profileListQuery = z.strictObject({
  state: z.enum(PROFILE_STATES).optional(),
  review: z
    .enum(['true'])
    .optional()
    .describe('Only approved versions that a person must approve again, because their approval was not signed anew'),
  applicationId: z.uuid().optional(),
  application: text(1024).optional().describe('Its name'),
  class: z
    .enum(CALL_CLASSES)
    .optional()
    .describe('Among the calls that the version adds to the one that it is based on there is one of this class'),
  ...pageQuery,
});
export type ProfileListQuery = z.infer<typeof profileListQuery>;

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256: and 64 lower-case hexadecimal digits');

const decision = {
  digest: digest.describe('Of the version that was reviewed; another one is refused'),
  reason: text(4096)
    .trim()
    .default('')
    .describe(
      'Needed where the version adds calls of class authority or dangerous, file rules or limits; see reasonRequired of /review',
    ),
};
export const decisionSchema = z.strictObject(decision).meta({ id: 'Decision' });

export const approvalSchema = z
  .strictObject({
    ...decision,
    stage: z
      .enum(STAGES)
      .default('audit')
      .describe(
        '"audit": calls outside the version are made and told, and after enough quiet runs it is enforced by itself; "enforce": they are refused from now on',
      ),
  })
  .meta({ id: 'Approval' });
export const stageSchema = z
  .strictObject({
    digest: decision.digest,
    stage: z.enum(STAGES).describe('"audit" starts a new audit, also where one is over; "enforce" ends it'),
    reason: decision.reason,
  })
  .meta({ id: 'StageChange' });

export type ApprovalRequest = z.infer<typeof approvalSchema>;

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
  basedOn: z
    .uuid()
    .nullable()
    .describe('The approved version that it was made from; what is learned may only widen it'),
  proposedBy: z.uuid().nullable().describe('The principal that wrote it by hand; null where recordings made it'),
  createdAt: z.date(),
  decidedAt: z.date().nullable(),
  reviewSince: z
    .date()
    .nullable()
    .describe(
      'Its approval was not signed anew after a change of keys: jobs of its build wait until a person approves it again',
    ),
  calls: z.int().describe('System calls that it allows'),
  additionClasses: z
    .array(z.enum(CALL_CLASSES))
    .describe(
      'Classes of the calls that it adds to the version that it is based on; a basic or harmless call that may be made with other arguments than the fixed ones counts as authority',
    ),
};

export const profileSummary = z
  .object({ ...summary, recordings: z.int().describe('Recordings that it was merged from') })
  .meta({ id: 'ProfileSummary' });
export const profileList = z.object({ profiles: z.array(profileSummary), next: nextPage }).meta({ id: 'ProfileList' });

const hex = z.templateLiteral(['0x', z.string()]).describe('Unsigned, hexadecimal');
const allowRule = z
  .object({
    names: z.array(z.string()).readonly(),
    action: z.literal('SCMP_ACT_ALLOW'),
    args: z
      .array(
        z.object({
          argument: z.int().describe('0 to 5'),
          op: z.enum(COMPARISONS),
          value: hex,
          mask: hex.exactOptional().describe('With SCMP_CMP_MASKED_EQ'),
        }),
      )
      .readonly()
      .exactOptional()
      .describe('All must hold; rules of one name are alternatives. Absent: whatever the arguments'),
  })
  .meta({ id: 'AllowRule' });
const refusalRule = z
  .object({
    names: z.array(z.string()).readonly(),
    action: z.literal('SCMP_ACT_ERRNO'),
    errnoRet: z.int().describe('Errno that the kernel answers with; nothing is reported'),
  })
  .meta({ id: 'RefusalRule' });
const rule = z.discriminatedUnion('action', [allowRule, refusalRule]).meta({ id: 'Rule' });
const fileRule = z
  .object({
    path: z.string().describe('Of a file, or of a tree; or {inputs}, {outputs}, {temporary}'),
    rights: z.array(z.enum(FILE_RIGHTS)).readonly(),
  })
  .meta({ id: 'FileRule' });
export const landlockStatus = z.enum(LANDLOCK_STATUSES);
const profileSchema = z
  .object({
    version: z.literal(1),
    architecture: z.enum(ARCHITECTURES),
    rules: z.array(rule).readonly(),
    network: z.literal('none'),
    files: z
      .array(fileRule)
      .readonly()
      .exactOptional()
      .describe('Held by Landlock under "enforce". Absent: files are not restricted'),
    landlockMinimum: landlockStatus
      .exactOptional()
      .describe('What a node must hold of the file rules, or the job is refused there'),
    pids: z.int().exactOptional().describe('Processes and threads at once, at most'),
  })
  .meta({ id: 'Profile' });

export const editedProfile = z
  .strictObject({
    buildId: z.uuid().describe('A build of the application'),
    profile: document().describe(
      'A whole profile, as ProfileDetail has one. Rules and paths sorted, nothing that is not understood',
    ),
  })
  .meta({ id: 'EditedProfile' });

const attempts = z.array(z.string()).readonly();
const derivations = z
  .object({
    recordings: z.int().describe('Recordings of monitoring "files" among those that were looked at'),
    network: z
      .object({ needed: z.boolean(), evidence: z.string(), attempts })
      .nullable()
      .describe('Whether the payload reached for addresses outside of its container'),
    pids: z.object({ peak: z.int(), proposed: z.int() }).nullable().describe('Processes and threads alive at once'),
    keptFiles: z
      .object({ count: z.int(), sample: z.array(z.string()).readonly() })
      .nullable()
      .describe('Files of the image that were used; all of them at /kept-files'),
    beyondRules: z
      .array(z.string())
      .readonly()
      .describe('What succeeded and no file rule can grant: it will be refused'),
  })
  .meta({ id: 'Derivations' });

export const lintWarning = z.object({
  name: z.string().describe('A call, or "file:" and a path; a character that does not show is written \\u{3164}'),
  kind: z.enum(['risky', 'withheld', 'rare']),
  reason: z.string(),
});

export const profileDetail = z
  .object({
    ...summary,
    profile: profileSchema,
    coverage: z
      .record(z.string(), z.object({ seenIn: z.int(), of: z.int() }))
      .describe('For each call, and each file rule ("file:" and its path), in how many of the recordings it was used'),
    origins: z
      .record(
        z.string(),
        z.object({
          origin: z.enum(ORIGINS),
          family: z.string().exactOptional().describe('With "implied": the family that brought it'),
          run: z
            .uuid()
            .exactOptional()
            .describe(
              'The executor run whose recording was the first to have it; its id stays when the run is deleted',
            ),
        }),
      )
      .describe('For each call, why the profile has it'),
    stage: z.enum(STAGES).nullable().describe('Of an approved version'),
    stageSince: z.date().nullable(),
    promotion: promotion.nullable().describe('How its audit stands; null where it is not in audit'),
    inheritedFrom: z.uuid().nullable().describe('The version of another build whose rules it took over'),
    additionClasses: z
      .array(z.enum(CALL_CLASSES))
      .describe('Of the calls that it adds to the version that it is based on, or may make with more arguments'),
    familiesVersion: z
      .int()
      .nullable()
      .describe('Of the table of families that it was expanded by; null where the table had no part in it'),
    familiesCurrent: z.boolean().describe('False: there is a newer table, by which another version may be proposed'),
    learning: learning.describe('How the learning of its build stands now'),
    derivations: derivations.describe('What its recordings say beyond the rules'),
    lint: z.array(lintWarning).readonly(),
    recordings: z.array(z.object({ executorRunId: z.uuid(), digest: z.string(), jobId: z.uuid().nullable() })),
    decisions: z.array(
      z.object({
        stage: z.enum(APPROVAL_STAGES),
        decidedBy: z.uuid().nullable().describe('The principal; null where a rule decided'),
        rule: z.enum(DECIDING_RULES).nullable().describe('The rule that decided, which an administrator switched on'),
        reason: z.string(),
        sequence: z.int(),
        createdAt: z.date(),
        statement: z.string().describe('Canonical JSON, as it was signed'),
        signature: z.string().describe('Ed25519, Base64'),
        keyId: z
          .string()
          .nullable()
          .describe(
            'Of the key that signed it: 16 hexadecimal digits of the SHA-256 of its SPKI; null from before keys had ids',
          ),
        resignedFrom: z
          .int()
          .nullable()
          .describe('The sequence of the decision that this one repeats, signed anew after a change of keys'),
      }),
    ),
  })
  .meta({ id: 'ProfileDetail' });

export const importedSeccomp = z
  .strictObject({
    buildId: z.uuid().describe('A build of the application'),
    format: z
      .enum(IMPORT_FORMATS)
      .optional()
      .describe('Known by the document’s words where it is absent; "oci" makes an error of Docker’s words'),
    seccomp: document().describe('linux.seccomp of the OCI runtime specification, or a profile of Docker or Podman'),
  })
  .meta({ id: 'ImportedSeccomp' });

const calls = z.array(z.string()).readonly();
const importReport = z
  .object({
    format: z.enum(IMPORT_FORMATS),
    allowed: calls.describe('Calls that the version allows whatever their arguments'),
    conditional: calls.describe('Calls that it allows with some arguments'),
    refused: z
      .array(z.object({ name: z.string(), errnoRet: z.int() }))
      .readonly()
      .describe('Calls that it refuses quietly'),
    dropped: z
      .array(z.object({ at: z.string().describe('JSON path of the rule'), names: calls, reason: z.string() }))
      .readonly()
      .describe('What the document says of calls and the version does not'),
    notes: z.array(z.string()).readonly(),
  })
  .meta({ id: 'ImportReport' });
export const importedProfile = z
  .object({ ...profileDetail.shape, report: importReport.describe('What became of the document') })
  .meta({ id: 'ImportedProfile' });

export const namesDiff = z
  .object({
    added: z.array(z.string()).readonly(),
    removed: z.array(z.string()).readonly(),
    unchanged: z.array(z.string()).readonly(),
  })
  .meta({ id: 'NamesDiff' });
const rights = z.array(z.enum(FILE_RIGHTS)).readonly();
const changedRights = z.array(z.object({ path: z.string(), rights })).readonly();
export const filesDiff = z
  .object({
    restrictedBefore: z.boolean().describe('False: the version before leaves files to the container alone'),
    restrictedNow: z.boolean(),
    added: z
      .array(z.object({ path: z.string(), rights, replaces: z.array(z.string()).readonly() }))
      .readonly()
      .describe('Where nothing was granted before; "replaces": rules before that this tree took in'),
    removed: changedRights,
    widened: changedRights,
    narrowed: changedRights,
  })
  .meta({ id: 'FilesDiff' });
export const limitChange = <T extends z.ZodType>(of: T) =>
  z.object({ before: of.nullable(), now: of.nullable() }).nullable();
export const profileDiff = z
  .object({
    previousId: z.uuid().nullable().describe('The version that it is based on, else the one before it'),
    previous: namesDiff.nullable(),
    engineDefault: namesDiff,
    quietRefusals: namesDiff.describe(
      'Calls that the kernel refuses without a report, as the engine did while they were learned',
    ),
    files: filesDiff.nullable().describe('Null where neither version speaks of files'),
    pids: limitChange(z.int()).describe('Null where nothing changed; null within: no limit'),
    landlockMinimum: limitChange(landlockStatus),
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

export const exportQuery = z.strictObject({
  runtimeCalls: z
    .enum(['true', 'false'])
    .default('false')
    .describe(
      'true adds the calls that a container runtime makes itself between loading the filter and the start of the ' +
        'program: without them docker run, podman and Kubernetes start nothing under it. false is exactly as wide as ' +
        'what Porin enforces, for programs that load the filter themselves (libseccomp)',
    ),
});
export type ExportQuery = z.infer<typeof exportQuery>;

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
          comment: z
            .string()
            .optional()
            .describe('Where the format says less or more than the profile; runtimes pass over it'),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'OciSeccomp' });
