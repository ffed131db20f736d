/** How the learning of a build stands, as the answers about applications, builds and profiles have it. */
import { z } from 'zod';
import { stage } from './stages/stage-answer.js';

const enough = z.object({ have: z.int(), need: z.int() });

export const learning = z
  .object({
    sentence: z.string().describe('All of it in one: "2 of 3 recordings, 1 of 2 inputs; considered 4 s ago"'),
    recordings: enough.describe('Recordings that teach'),
    distinctInputs: enough.describe('Different inputs among them'),
    partial: z.int().describe('Recordings that may lack something, and so teach nothing'),
    failed: z.int().describe('Recordings of runs that did not end with an expected exit code by themselves'),
    leftOut: z
      .int()
      .describe(
        'Recordings that teach nothing for another reason: behind a rejected or revoked version, made under a profile where no version is approved, or not to be believed',
      ),
    waiting: z.int().describe('Recordings of ended jobs that are still to be considered'),
    consideredAt: z.date().nullable().describe('When a recording of the build was considered last'),
    problem: z.string().nullable().describe('Why the recordings are enough and still no profile can be proposed'),
    stage: stage.nullable().describe('Of its approved version; null where none is approved'),
    newCalls: z
      .array(z.int())
      .readonly()
      .describe('Of the last recordings that teach, ten at most, oldest first: calls that no earlier one had'),
    expectedNewCalls: z.number().nullable().describe('New calls to expect of the next recording'),
    advice: z.string().nullable().describe('Why to wait before an approval; null where nothing speaks for it'),
  })
  .meta({ id: 'Learning' });
