/** What the application routes take and give. */
import { ADHOC_PREFIX, SPECIFICATION_BOUNDS } from '#lib/jobs';
import { ARCHITECTURES, AUTO_APPROVE, CLOSURES, ON_DENIAL, ON_NEW_BUILD, POLICIES } from '#lib/profiles';
import { z } from 'zod';
import { nextPage, pageQuery } from '../http/page.js';
import { text } from '../http/text.js';
import { learning } from '../profiles/learning-answer.js';

const fields = {
  image: text(SPECIFICATION_BOUNDS.imageCharacters).min(1),
  policy: z.enum(POLICIES).describe('What happens to jobs of a build without an approved profile'),
  recordingsNeeded: z.int().min(1).max(100).describe('Recordings that a profile version is proposed from, at least'),
  distinctInputsNeeded: z.int().min(1).max(100).describe('Different inputs among them, at least'),
  expectedExitCodes: z
    .array(z.int().min(0).max(255))
    .min(1)
    .max(32)
    .refine((codes) => new Set(codes).size === codes.length, { error: 'must not repeat a code' })
    .describe('Runs that end with one of them teach. A job still ends EXECUTOR_ERROR with any code but 0'),
  closure: z
    .enum(CLOSURES)
    .describe(
      'What a learned profile holds beyond what every program needs: "families", the calls that were seen and the harmless ones of their families; "seen", the calls that were seen alone',
    ),
  onDenial: z
    .enum(ON_DENIAL)
    .describe(
      'What a refused call leads to: "hold", the job publishes nothing and waits for a decision about the version that is proposed for it; "fail", it ends EXECUTOR_ERROR; "report", it goes on. A dangerous call ends it at once whatever this says',
    ),
  onNewBuild: z
    .enum(ON_NEW_BUILD)
    .describe(
      'What a new image content gets where an earlier one has an approved profile: "inherit", its rules, in audit; "hold", jobs wait; "learn", it is learned anew',
    ),
  autoApprove: z
    .enum(AUTO_APPROVE)
    .describe('"harmless": additions of basic and harmless calls alone are approved without a person'),
  quietRunsNeeded: z.int().min(1).max(30).describe('Quiet runs under audit after which a version is enforced'),
  quietInputsNeeded: z.int().min(1).max(30).describe('Different inputs among them, at least'),
};

export const newApplication = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,127}$/, 'lower-case letters, digits, ".", "_" and "-", at most 128'),
    ...fields,
    commandPrefix: z
      .array(text(4096).min(1))
      .max(64)
      .default([])
      .describe('What every command of the application starts with'),
    policy: fields.policy.default('learn'),
    recordingsNeeded: fields.recordingsNeeded.default(3),
    distinctInputsNeeded: fields.distinctInputsNeeded.default(2),
    expectedExitCodes: fields.expectedExitCodes.default([0]),
    closure: fields.closure.default('families'),
    onDenial: fields.onDenial.default('hold'),
    onNewBuild: fields.onNewBuild.default('inherit'),
    autoApprove: fields.autoApprove.default('never'),
    quietRunsNeeded: fields.quietRunsNeeded.default(5),
    quietInputsNeeded: fields.quietInputsNeeded.default(3),
  })
  .meta({ id: 'NewApplication' });

export const applicationChange = z
  .strictObject(fields)
  .partial()
  .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' })
  .meta({ id: 'ApplicationChange' });
export type ApplicationChange = z.infer<typeof applicationChange>;

export const applicationListQuery = z.strictObject({
  name: text(1024).optional(),
  ...pageQuery,
});

const answer = {
  id: z.uuid(),
  name: z.string().describe(`Starts with ${ADHOC_PREFIX} when a job named an image instead of an application`),
  ...fields,
  commandPrefix: z.array(z.string()),
  imageState: z
    .enum(['unchecked', 'found', 'not-found'])
    .describe(
      'Whether a node has found the image since it was named: here, or in a registry that it may ask. "unchecked" until a node has looked; of an ad hoc application, for ever',
    ),
  imageProblem: z.string().nullable().describe('Why it was not found, as a warning: jobs are still accepted'),
  imageCheckedAt: z.date().nullable(),
  createdBy: z.uuid().nullable().describe('The principal'),
  createdAt: z.date(),
};
export const applicationAnswer = z.object(answer).meta({ id: 'Application' });
export const applicationList = z
  .object({ applications: z.array(applicationAnswer), next: nextPage })
  .meta({ id: 'ApplicationList' });

const build = z
  .object({
    id: z.uuid(),
    contentDigest: z.string(),
    architecture: z.enum(ARCHITECTURES),
    imageReference: z.string(),
    repositoryDigest: z.string().nullable(),
    createdAt: z.date(),
    approvedProfileId: z.uuid().nullable(),
    proposedProfileId: z.uuid().nullable(),
    recordings: z.int().describe('Recordings of its runs, partial ones included'),
    learning,
  })
  .meta({ id: 'Build' });
export const buildList = z.object({ builds: z.array(build), next: nextPage }).meta({ id: 'BuildList' });

/** Builds that an application's own answer has. */
export const BUILDS_SHOWN = 10;
export const applicationDetail = z
  .object({
    ...answer,
    builds: z.array(build).describe(`The newest ${BUILDS_SHOWN}, with how the learning of each stands; all at /builds`),
  })
  .meta({ id: 'ApplicationDetail' });
