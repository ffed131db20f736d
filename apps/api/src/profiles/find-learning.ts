/** Reads how the learning of builds stands. */
import { type Closure, type Growth, growthAdvice, growthOf, standingSentence } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type z } from 'zod';
import { type learning } from './learning-answer.js';
import { stagesOf } from './stages/find-stages.js';
import { FAILED_VERDICTS, RECORDED_RUNS, VERDICT } from '#lib/store';

type Learning = z.input<typeof learning>;

/** Recordings that growth is estimated from, at most: the newest. */
const GROWTH_RECORDINGS = 100;
const NEW_CALLS_SHOWN = 10;

interface Counts {
  readonly buildId: string;
  readonly needed: number;
  readonly inputsNeeded: number;
  readonly recordings: number;
  readonly inputs: number;
  readonly partial: number;
  readonly failed: number;
  readonly waiting: number;
  readonly ended: number;
  readonly consideredAt: Date | null;
  readonly problem: string | null;
}

/** By build; every one of them has an entry. */
export async function learningOf(
  manager: EntityManager,
  buildIds: readonly string[],
): Promise<ReadonlyMap<string, Learning>> {
  const counts: Counts[] = await manager.query(
    `WITH judged AS (
       SELECT build.id AS build_id, run.inputs_digest, recording.considered_at, ${VERDICT} AS verdict
       FROM ${RECORDED_RUNS} WHERE build.id = ANY ($1)
     )
     SELECT build.id AS "buildId", application.recordings_needed AS needed, application.distinct_inputs_needed AS "inputsNeeded",
       build.learning_problem AS problem, max(considered_at) AS "consideredAt",
       count(*) FILTER (WHERE verdict = 'teaches')::int AS recordings,
       count(DISTINCT inputs_digest) FILTER (WHERE verdict = 'teaches')::int AS inputs,
       count(*) FILTER (WHERE verdict = 'partial')::int AS partial,
       count(*) FILTER (WHERE verdict = ANY ($2))::int AS failed,
       count(*) FILTER (WHERE verdict = 'unchecked')::int AS waiting,
       count(*) FILTER (WHERE verdict <> 'job-not-ended')::int AS ended
     FROM build JOIN application ON application.id = build.application_id LEFT JOIN judged ON judged.build_id = build.id
     WHERE build.id = ANY ($1) GROUP BY build.id, application.id`,
    [buildIds, FAILED_VERDICTS],
  );
  const growth = await growthByBuild(manager, buildIds);
  const stages = await stagesOf(manager, buildIds);
  const now = new Date();
  return new Map(
    counts.map((each) => {
      const learned = learningFrom(each, growth.get(each.buildId) ?? growthOf([], 'seen'), now);
      return [each.buildId, { ...learned, stage: stages.get(each.buildId) ?? null }];
    }),
  );
}

function learningFrom(counts: Counts, growth: Growth, now: Date): Omit<Learning, 'stage'> {
  const { needed, inputsNeeded, recordings: have, inputs, ended, problem, ...rest } = counts;
  const { partial, failed, waiting, consideredAt } = rest;
  const recordings = { have, need: needed };
  const distinctInputs = { have: inputs, need: inputsNeeded };
  const standing = { recordings, distinctInputs, partial, failed, waiting, consideredAt };
  return {
    ...standing,
    sentence: standingSentence(standing, now),
    leftOut: ended - have - partial - failed - waiting,
    problem,
    newCalls: growth.newCalls.slice(-NEW_CALLS_SHOWN),
    expectedNewCalls: growth.expected,
    // Until there is enough, the sentence says what to wait for.
    advice: have >= needed && inputs >= inputsNeeded ? growthAdvice(growth) : null,
  };
}

async function growthByBuild(
  manager: EntityManager,
  buildIds: readonly string[],
): Promise<ReadonlyMap<string, Growth>> {
  const rows: { buildId: string; closure: Closure; recordings: string[][] }[] = await manager.query(
    `WITH placed AS (
       SELECT build.id AS build_id, application.closure, call_names,
         row_number() OVER (PARTITION BY build.id ORDER BY recording.created_at DESC, run.id) AS place
       FROM ${RECORDED_RUNS} WHERE build.id = ANY ($1) AND ${VERDICT} = 'teaches'
     )
     SELECT build_id AS "buildId", closure, jsonb_agg(to_jsonb(call_names) ORDER BY place DESC) AS recordings
     FROM placed WHERE place <= $2 GROUP BY build_id, closure`,
    [buildIds, GROWTH_RECORDINGS],
  );
  return new Map(rows.map(({ buildId, closure, recordings }) => [buildId, growthOf(recordings, closure)]));
}
