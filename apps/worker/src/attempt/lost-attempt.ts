/** What a write says when the attempt no longer holds its job. */
import { type AttemptKey } from './attempt-key.js';

/** Another attempt holds the job, or nobody does any more. */
export class LostAttemptError extends Error {
  override readonly name = 'LostAttemptError';
}

export function lost({ jobId, number }: AttemptKey): LostAttemptError {
  return new LostAttemptError(`attempt ${number} of job ${jobId} is no longer this worker's`);
}
