/** Puts into the answer about a job what it was refused: what denials are called, and how bad they are, SQL does not know. */
import { DenialRow } from '#lib/database';
import { type Architecture, denialClass } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { z } from 'zod';
import { countDenials, type DenialCount } from './count-denials.js';
import { type jobDetail } from './job-answers.js';

/** Denials that one answer holds per run, at most. */
const DENIALS_MAXIMUM = 1000;

type ShownDenial = z.output<typeof jobDetail>['runs'][number]['denials'][number];
/** As much of the answer as is looked at. */
interface ShownJob {
  readonly id: string;
  readonly architecture: Architecture;
  denials: DenialCount;
  readonly runs: readonly { readonly id: string; denials: readonly ShownDenial[] }[];
}
/** Written by the worker: whatever else it holds, these are shown. */
const denialShape = z.object({
  arguments: z.array(z.string()).catch([]),
  errno: z.string().nullable().catch(null),
  architecture: z.string().optional().catch(undefined),
});

/** `answer`: JSON that fits the schema. */
export async function withDenials(manager: EntityManager, answer: string): Promise<string> {
  const job = JSON.parse(answer) as ShownJob;
  job.denials = (await countDenials(manager, [job.id]))(job.id);
  for (const run of job.runs) run.denials = await denialsOf(manager, run.id, job.architecture);
  return JSON.stringify(job);
}

async function denialsOf(
  manager: EntityManager,
  executorRunId: string,
  ours: Architecture,
): Promise<readonly ShownDenial[]> {
  const rows = await manager.find(DenialRow, {
    where: { executorRunId },
    order: { position: 'ASC' },
    take: DENIALS_MAXIMUM,
  });
  return rows.map(({ shape, call, action, description, count }) => {
    const { architecture = ours, arguments: values, errno } = denialShape.parse(shape);
    const classed = denialClass({ call, architecture, errno });
    return { call, arguments: values, action, errno, description, count, class: classed };
  });
}
