/** What the review of a profile version says: everything a decision needs, as data. */
import { CALL_CHANGES, CALL_CLASSES, ORIGINS, PROFILE_STATES } from '#lib/profiles';
import { z } from 'zod';
import { filesDiff, limitChange, landlockStatus, lintWarning, namesDiff } from '../profile-answers.js';

const names = z.array(z.string()).readonly();
const callClass = z.enum(CALL_CLASSES);
const place = z.object({ runId: z.uuid(), jobId: z.uuid(), at: z.date() });
const share = z.object({ seenIn: z.int(), of: z.int() });

const family = z
  .object({
    family: z.string(),
    class: callClass.describe('Of the most dangerous of its calls'),
    added: names,
    removed: names,
    kept: names,
  })
  .meta({ id: 'ReviewedFamily' });

const call = z
  .object({
    name: z.string(),
    class: callClass,
    family: z.string(),
    change: z.enum(CALL_CHANGES).describe('Against `basedOn`; without one, everything is added'),
    origin: z
      .object({ origin: z.enum(ORIGINS), family: z.string().exactOptional(), run: z.uuid().exactOptional() })
      .nullable()
      .describe('Why the version has it; null of a call that was removed'),
    allows: z.string().describe('What it lets a program do'),
    conditions: names.describe('Alternatives in words, "any arguments" where nothing is held'),
    admits: names.describe('Of a call that was kept: alternatives that only this version allows'),
    refuses: names.describe('Of a call that was kept: alternatives that only the version before allows'),
    coverage: z
      .object({ recordings: share, inputs: share, submitters: share, nodes: share })
      .describe('In how many of the recordings behind the version it was seen, and of what those are different in'),
    firstRun: place.nullable().describe('Of these recordings, the first run that had it'),
    lastRun: place.nullable(),
  })
  .meta({ id: 'ReviewedCall' });

const evidence = z
  .object({
    call: z.string().describe('"file" for what Landlock refused'),
    description: z.string(),
    errno: z.string().nullable().describe('That the program got; null where the call was made under audit'),
    class: callClass.nullable().describe('Null for a number without a name that was answered as by any kernel'),
    count: z.int(),
    runs: z.int(),
    first: z.object({
      ...place.shape,
      executor: z.int(),
      position: z.int().describe('Among the denials of its run, in the order in which they first happened'),
    }),
    submitters: z.array(z.uuid()).describe('The principals whose jobs made it'),
  })
  .meta({ id: 'DenialEvidence' });

const loaderWarning = z
  .object({
    kind: z.enum(['environment', 'input', 'execution']),
    subject: z.string().describe('The variable with its value, where an input was mounted, or what was executed'),
    reason: z.string(),
    runs: z.int(),
    runId: z.uuid().describe('The first of the runs'),
    jobId: z.uuid(),
  })
  .meta({ id: 'LoaderWarning' });

export const profileReview = z
  .object({
    id: z.uuid(),
    digest: z.string().describe('What a decision names'),
    state: z.enum(PROFILE_STATES),
    basedOn: z
      .uuid()
      .nullable()
      .describe('The approved version that `change` is against; null: nothing of this has been approved before'),
    families: z.array(family).readonly().describe('Those with the most dangerous calls first'),
    calls: z.array(call).readonly().describe('Dangerous ones first; of one class the added first'),
    quietRefusals: namesDiff,
    files: filesDiff.nullable(),
    pids: limitChange(z.int()),
    landlockMinimum: limitChange(landlockStatus),
    lint: z.array(lintWarning).readonly(),
    evidence: z.array(evidence).describe('Denials behind the version, dangerous ones first; 200 at most'),
    warnings: z
      .array(loaderWarning)
      .readonly()
      .describe('What told the loader, or an interpreter, to run other code than the image has'),
    wouldHaveRefused: z
      .object({
        runs: z.int().describe('In which a call would have been refused'),
        of: z.int().describe('The last complete recordings of the build, 50 at most'),
        calls: z.array(z.object({ call: z.string(), class: callClass, runs: z.int() })).readonly(),
      })
      .describe('Had the version been enforced in the last runs'),
    attackSurface: z.object({
      calls: z.int().describe('That the version allows'),
      ofAll: z.int().describe('That the architecture has'),
      engineDefault: z.int().describe('That the container engine’s default allows'),
      closedVulnerabilities: z.int().describe('Known vulnerabilities of the kernel of which no call is allowed'),
      closedWithConditions: z.int().describe('And those of which none is allowed with the arguments that they need'),
      of: z.int().describe('Vulnerabilities in the table'),
    }),
    reasonRequired: z.boolean().describe('Whether a decision about it must give a reason'),
    fourEyes: z.object({
      required: z.boolean().describe('Setting of the tenant'),
      mayDecide: z.boolean().describe('Whether the caller may approve it'),
      objection: z.string().nullable().describe('Why not'),
    }),
  })
  .meta({ id: 'ProfileReview' });
