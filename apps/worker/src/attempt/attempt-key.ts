/** What names an attempt. */

/** Names the attempt in every later call; `number` is the job's fence. */
export interface AttemptKey {
  readonly jobId: string;
  readonly number: number;
}
