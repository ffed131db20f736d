/** Reads the trace of a job's executor, a gzip file, also while it grows. */
import { isOpenAttempt } from '#lib/jobs';
import { Artifact, Attempt, ExecutorRun, type Job } from '#lib/database';
import { isTrace } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { PorinError } from '../../errors/porin-error.js';

export interface Trace {
  readonly fileName: string;
  readonly attemptNumber: number;
  /** The run has ended: nothing will follow. */
  readonly complete: boolean;
  /** More happened than the file has; its last line says why. */
  readonly truncated: boolean;
  readonly parts: AsyncIterable<Buffer>;
}

/** Of one statement: bounds what an answer takes of memory, however slowly it is read. */
const PARTS_AT_ONCE = 16;

/** Of the latest attempt that started the executor. Throws not-found, log-expired. */
export async function readTrace(manager: EntityManager, job: Job, executor: number): Promise<Trace> {
  const run = await manager.findOne(ExecutorRun, {
    where: { jobId: job.id, position: executor },
    order: { attemptNumber: 'DESC' },
  });
  if (!run) throw new PorinError('not-found', `Executor ${executor} of the job has not been started.`);
  if (!isTrace(run.monitoring)) {
    throw new PorinError('not-found', `Executor ${executor} ran with monitoring "${run.monitoring}", without a trace.`);
  }
  const attempt = await manager.findOneByOrFail(Attempt, { jobId: job.id, number: run.attemptNumber });
  const artifact = await manager.findOneBy(Artifact, { executorRunId: run.id, kind: 'trace' });
  if (!artifact) throw new PorinError('log-expired', 'The trace is not kept any more.');
  return {
    fileName: `${job.id}-executor-${executor}-attempt-${run.attemptNumber}.trace.gz`,
    attemptNumber: run.attemptNumber,
    complete: run.endedAt !== null || !isOpenAttempt(attempt.state),
    truncated: artifact.truncated,
    parts: partsOf(manager, artifact.id),
  };
}

/** Reads the parts in order. A part that is written meanwhile is in the answer whole or not at all. */
async function* partsOf(manager: EntityManager, artifactId: string): AsyncGenerator<Buffer> {
  for (let after = -1, more = true; more;) {
    const rows: { start: string; content: Buffer }[] = await manager.query(
      `SELECT byte_offset AS start, content FROM artifact_chunk WHERE artifact_id = $1 AND byte_offset > $2
       ORDER BY byte_offset LIMIT $3`,
      [artifactId, after, PARTS_AT_ONCE],
    );
    for (const { content } of rows) yield content;
    after = Number(rows.at(-1)?.start ?? after);
    more = rows.length === PARTS_AT_ONCE;
  }
}
