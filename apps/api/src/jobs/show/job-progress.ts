/** How far the transfers of a job are: of its inputs while they are staged, of its outputs while they are put in place. */
import { z } from 'zod';

export const jobProgress = z
  .object({
    phase: z.enum(['staging', 'publishing']).describe('Of inputs, or of the files of outputs'),
    done: z.int().describe('Inputs that are staged, or files that are in place'),
    total: z.int(),
    bytesDone: z.int(),
    bytesTotal: z.int().nullable().describe('Null while the size of an input is unknown'),
  })
  .meta({ id: 'JobProgress' });
export type JobProgress = z.infer<typeof jobProgress>;

/** As JSON, of a row `job`; null at other times. A node tells of its inputs when it renews the lease of the attempt. */
export const PROGRESS = `CASE
  WHEN job.ended_at IS NULL AND job.publishing_since IS NOT NULL THEN (
    SELECT json_build_object('phase', 'publishing', 'done', count(published_at), 'total', count(*),
      'bytesDone', coalesce(sum(bytes) FILTER (WHERE published_at IS NOT NULL), 0), 'bytesTotal', coalesce(sum(bytes), 0))
    FROM job_output WHERE job_id = job.id)
  WHEN job.state = 'INITIALIZING' THEN (
    SELECT json_build_object('phase', 'staging', 'done', inputs_staged, 'total', jsonb_array_length(job.inputs),
      'bytesDone', input_bytes_staged, 'bytesTotal', input_bytes_total)
    FROM attempt WHERE job_id = job.id AND number = job.fence AND attempt.state = 'OPEN' AND inputs_staged IS NOT NULL)
END`;
