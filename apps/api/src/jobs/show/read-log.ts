/** Reads what a job's executor printed, from an offset on, also while it runs. */
import { Artifact, Attempt, ExecutorRun, type Job } from '#lib/database';
import { isFinal, isOpenAttempt } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { PorinError } from '../../errors/porin-error.js';
import { type LogQuery } from './job-answers.js';

/** Bytes that one answer holds, at most. */
export const LOG_ANSWER_BYTES = 1024 ** 2;

export interface LogPart {
  readonly content: Buffer;
  readonly nextOffset: number;
  /** Nothing will follow `nextOffset` in this attempt. */
  readonly complete: boolean;
  /** Bytes of the stream that were over the limit and are lost. */
  readonly droppedBytes: number;
  /** Whose log it is; when the number changes, another attempt has started at byte 0. */
  readonly attemptNumber: number | null;
}

/** Of the latest attempt that started the executor. Throws log-expired. */
export async function readLog(
  manager: EntityManager,
  job: Job,
  { stream, executor, offset }: LogQuery,
): Promise<LogPart> {
  const run = await manager.findOne(ExecutorRun, {
    where: { jobId: job.id, position: executor },
    order: { attemptNumber: 'DESC' },
  });
  const nothing = { content: Buffer.alloc(0), nextOffset: offset, droppedBytes: 0 };
  if (!run) return { ...nothing, complete: isFinal(job.state), attemptNumber: null };
  const attempt = await manager.findOneByOrFail(Attempt, { jobId: job.id, number: run.attemptNumber });
  // Looked at before the bytes are read: what is written in between is then not taken for the end.
  const ended = run.endedAt !== null || !isOpenAttempt(attempt.state);
  const artifact = await manager.findOneBy(Artifact, { executorRunId: run.id, kind: stream });
  if (!artifact && ended) throw new PorinError('log-expired', 'The log is not kept any more.');
  if (!artifact) return { ...nothing, complete: false, attemptNumber: run.attemptNumber };
  const content = await readBytes(manager, artifact.id, offset);
  const nextOffset = offset + content.length;
  return {
    content,
    nextOffset,
    complete: ended && content.length < LOG_ANSWER_BYTES,
    droppedBytes: artifact.droppedBytes,
    attemptNumber: run.attemptNumber,
  };
}

/** Chunks follow one another without gaps, so their offsets alone say which hold the wanted bytes. */
async function readBytes(manager: EntityManager, artifactId: string, offset: number): Promise<Buffer> {
  const chunks: { start: string; content: Buffer }[] = await manager.query(
    `SELECT byte_offset AS start, content FROM artifact_chunk WHERE artifact_id = $1 AND byte_offset < $2::bigint + $3
       AND byte_offset >= coalesce((SELECT max(byte_offset) FROM artifact_chunk WHERE artifact_id = $1 AND byte_offset <= $2), 0)
     ORDER BY byte_offset`,
    [artifactId, offset, LOG_ANSWER_BYTES],
  );
  const first = chunks[0];
  if (!first) return Buffer.alloc(0);
  const start = offset - Number(first.start);
  return Buffer.concat(chunks.map(({ content }) => content)).subarray(start, start + LOG_ANSWER_BYTES);
}
