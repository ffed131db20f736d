/** How many bytes an output may have: what the outputs before it have left of the job's disk. */
import { JobError } from '#lib/jobs';

export interface OutputLimit {
  /** What this output may have. */
  readonly bytes: number;
  /** What all of the job's may have together, for the message. */
  readonly jobBytes: number;
}

export function tooLarge(path: string, { jobBytes }: OutputLimit): JobError {
  return JobError.of('output-too-large', { path, limitBytes: jobBytes });
}
