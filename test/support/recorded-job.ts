/** A job from its submission to its end as the worker's rows tell it, with a recording where it was watched. */
import { type JobState } from '#lib/jobs';
import { type Monitoring, type PartialReason, type Recording } from '#lib/profiles';
import { type TestApi } from './api.js';
import { type DeniedCall, type EndOptions, recordingOf, type RunOptions } from './worker-rows.js';

export interface RecordedJobOptions extends Omit<RunOptions, 'buildId'>, EndOptions {
  readonly key: string;
  readonly application: string;
  readonly nodeId: string;
  /** Image content; another one is another build. */
  readonly content?: string;
  /** Calls that the recording holds; none means that nothing was recorded. */
  readonly calls?: readonly string[];
  readonly partialReasons?: readonly PartialReason[];
  /** Instead of one of these calls alone. */
  readonly recording?: Recording;
  readonly monitoring?: Monitoring;
  readonly denials?: readonly DeniedCall[];
  /** It waits for a decision about its denials instead of ending; for so many days, 7 by default. */
  readonly isHeld?: boolean;
  readonly heldDays?: number;
  readonly state?: JobState;
  /** Of the attempt, where the job does not end COMPLETE. */
  readonly errorCode?: string;
}

export interface RecordedJob {
  readonly jobId: string;
  readonly runId: string;
  readonly buildId: string;
}

export async function runRecordedJob(api: TestApi, options: RecordedJobOptions): Promise<RecordedJob> {
  const { key, application } = options;
  const submitted = await api.post(key, '/api/v1/jobs', { executors: [{ application }] }).expect(201);
  return runAgain(api, submitted.body.id, options);
}

/** The next attempt of a job that is queued. */
export async function runAgain(api: TestApi, jobId: string, options: RecordedJobOptions): Promise<RecordedJob> {
  const { nodeId, content = 'sha256:content', calls, state = 'COMPLETE', denials = [], isHeld = false } = options;
  const { recording = calls && recordingOf(calls, options.partialReasons), errorCode = 'exit-code' } = options;
  const attempt = await api.worker.claim(jobId, nodeId);
  const buildId = await api.worker.resolveBuild(jobId, content);
  const runId = await api.worker.startRun(attempt, { ...options, buildId });
  await api.worker.setJob(jobId, 'RUNNING');
  await api.worker.endRun(runId, options);
  if (recording) await api.worker.addRecording(runId, recording);
  for (const denial of denials) await api.worker.addDenial(runId, denial);
  if (isHeld) {
    await api.worker.holdForDecision(attempt, buildId, options.heldDays);
    return { jobId, runId, buildId };
  }
  const isComplete = state === 'COMPLETE';
  await api.worker.endJob(attempt, [isComplete ? 'COMPLETE' : 'FAILED', isComplete ? null : errorCode], [state]);
  return { jobId, runId, buildId };
}
