/** The one log of a task: of its latest attempt, with what its other attempts, its end and its submission left to say. */
import { isSelection } from '#lib/jobs';
import { type JobProgress } from '../../jobs/show/job-progress.js';
import {
  type AttemptRow,
  EARLIER_ATTEMPTS_MAXIMUM,
  type JobRow,
  type PublishedRow,
  type RunRow,
  type StreamRow,
  type TaskRows,
  type UnwatchedRow,
} from './read-tasks.js';
import { type TaskLog, type View } from './task-answers.js';

/** Undefined before the first attempt of a task of which there is nothing to say. */
export function taskLog(rows: TaskRows, view: Exclude<View, 'MINIMAL'>): TaskLog | undefined {
  const { job, attempts, runs, outputs } = rows;
  const [latest] = attempts;
  if (!latest) return job.endedAt || job.task?.warnings ? withoutAttempt(rows, view) : undefined;
  const streams = view === 'FULL' ? rows.streams : undefined;
  return {
    logs: runs.flatMap((run) => executorLog(run, latest, streams)),
    metadata: metadata(latest, rows),
    start_time: latest.startedAt.toISOString(),
    ...(latest.endedAt && { end_time: latest.endedAt.toISOString() }),
    outputs: outputs.map((file) => ({ url: asWritten(job, file), path: file.path, size_bytes: String(file.bytes) })),
    ...(view === 'FULL' && { system_logs: systemLogs(rows, latest) }),
  };
}

/** In the spelling of the task, where it has one of its own: what was a path there is one here. */
function asWritten({ outputs, task }: JobRow, { url, position }: PublishedRow): string {
  const written = task?.outputs?.[position]?.url;
  const output = outputs[position];
  if (!output || !isSelection(output)) return written ?? url;
  if (!written?.startsWith('/')) return url;
  const end = written.endsWith('/') ? '' : '/';
  return `${written}${end}${decodeURIComponent(url.slice(output.url.length + 1))}`;
}

/** Of a task that has begun nowhere, or that ended before it could. */
function withoutAttempt(rows: TaskRows, view: View): TaskLog {
  return { logs: [], metadata: {}, outputs: [], ...(view === 'FULL' && { system_logs: systemLogs(rows) }) };
}

/** None of an executor that has not ended, or of which nobody knows how: a log has an exit code. `streams`: undefined where they are not shown. */
function executorLog(
  run: RunRow,
  { errorCode }: AttemptRow,
  streams: readonly StreamRow[] | undefined,
): TaskLog['logs'] {
  if (!run.endedAt || run.outcome === null) return [];
  const text = (kind: StreamRow['kind']) =>
    readable(streams?.find((stream) => stream.runId === run.id && stream.kind === kind)?.content);
  return [
    {
      start_time: run.startedAt.toISOString(),
      end_time: run.endedAt.toISOString(),
      exit_code: exitCode(run, run.errorCode ?? errorCode),
      ...(streams && { stdout: text('stdout'), stderr: text('stderr') }),
    },
  ];
}

/** Text without the rest of a character that was cut off in front. */
export function readable(bytes: Buffer = Buffer.alloc(0)): string {
  let start = 0;
  while (start < CONTINUATION_BYTES && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return bytes.subarray(start).toString('utf8');
}

/** Of one character of UTF-8, at most. */
const CONTINUATION_BYTES = 3;

/** POSIX, XCU, section 2.8.2: of a command that was not found, could not be executed, was ended by a signal. */
const EXIT_CODES = { notFound: 127, notExecutable: 126, signaled: 128 } as const;
const SIGKILL = 9;

/** As a shell has it where there is no exit code: of a run that was stopped, as if by SIGKILL. */
export function exitCode(run: Pick<RunRow, 'exitCode' | 'signal' | 'outcome'>, errorCode: string | null): number {
  if (run.exitCode !== null) return run.exitCode;
  if (run.outcome !== 'exec-failed') return EXIT_CODES.signaled + (run.signal ?? SIGKILL);
  return errorCode === 'command-not-found' ? EXIT_CODES.notFound : EXIT_CODES.notExecutable;
}

/** All values are texts. What was measured is left out where nothing was. */
function metadata(
  { node, number, cachedInputs, cachedBytes }: AttemptRow,
  { runs, unwatched }: TaskRows,
): TaskLog['metadata'] {
  const measured = {
    wall_time_ms: milliseconds(runs, ({ wallUs }) => wallUs),
    user_cpu_time_ms: milliseconds(runs, ({ userUs }) => userUs),
    system_cpu_time_ms: milliseconds(runs, ({ systemUs }) => systemUs),
    cpu_time_ms: milliseconds(runs, ({ userUs, systemUs }) => (userUs === null ? null : userUs + (systemUs ?? 0))),
    peak_memory_bytes: largest(runs.map(({ maxRssBytes }) => maxRssBytes)),
    enforcement: said(runs.map(({ enforcement }) => enforcement)),
    monitoring: said(runs.map(({ monitoring }) => monitoring)),
    profile_digest: said(runs.map(({ profileDigest }) => profileDigest)),
    overhead_ratio: overheadRatio(runs, unwatched),
    denials: runs.length === 0 ? null : String(runs.reduce((sum, { denials }) => sum + denials, 0)),
  };
  const cached = { input_cache_hits: String(cachedInputs), input_cache_bytes: String(cachedBytes) };
  const known = Object.entries({ node, attempt: String(number), ...measured, ...(cachedInputs > 0 && cached) });
  return Object.fromEntries(known.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}

/** Wall time of all executors to what the same took unwatched; null where one of them cannot be compared. */
function overheadRatio(runs: readonly RunRow[], unwatched: readonly UnwatchedRow[]): string | null {
  const plainUs = runs.map(({ id }) => unwatched.find(({ runId }) => runId === id)?.wallUs);
  const sum = plainUs.reduce<number>((all, each) => all + (each ?? NaN), 0);
  const wallUs = runs.reduce((all, run) => all + (run.wallUs ?? NaN), 0);
  return sum > 0 && wallUs >= 0 ? (wallUs / sum).toFixed(3) : null;
}

function milliseconds(runs: readonly RunRow[], of: (run: RunRow) => number | null): string | null {
  const microseconds = runs.map(of).filter((each) => each !== null);
  return microseconds.length === 0 ? null : String(Math.round(microseconds.reduce((sum, us) => sum + us, 0) / 1000));
}

function largest(values: readonly (number | null)[]): string | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : String(Math.max(...known));
}

/** Of all executors; one by one, in their order, where they differ. */
function said(values: readonly (string | null)[]): string | null {
  const [first = null, ...others] = values;
  return others.every((value) => value === first) ? first : values.map((value) => value ?? 'none').join(', ');
}

function systemLogs({ job, attempts, runs, streams }: TaskRows, latest?: AttemptRow): string[] {
  const told = attempts.slice(0, 1 + EARLIER_ATTEMPTS_MAXIMUM).sort((a, b) => a.number - b.number);
  const isCut = attempts.length > 1 + EARLIER_ATTEMPTS_MAXIMUM;
  return [
    ...(job.task?.warnings ?? []),
    ...(isCut ? [`Attempts before ${told[0]?.number ?? 1} are not listed.`] : []),
    ...told.map(attemptText),
    ...(job.progress ? [progressText(job.progress)] : []),
    ...(job.errorMessage === null || job.errorMessage === latest?.errorMessage ? [] : [errorText(job)]),
    ...runs.flatMap((run) =>
      streams.filter(({ runId }) => runId === run.id).flatMap((each) => cutText(job.id, run, each)),
    ),
  ];
}

function attemptText(attempt: AttemptRow): string {
  const what = `Attempt ${attempt.number} on node ${attempt.node}: ${attempt.state}.`;
  return attempt.errorCode === null ? what : `${what} ${errorText(attempt)}`;
}

function progressText({ phase, done, total, bytesDone, bytesTotal }: JobProgress): string {
  const [verb, noun] = phase === 'staging' ? ['Staging', 'inputs'] : ['Publishing', 'files'];
  const bytes = bytesTotal === null ? `${bytesDone} bytes so far` : `${bytesDone} of ${bytesTotal} bytes`;
  return `${verb}: ${done} of ${total} ${noun}, ${bytes}.`;
}

function errorText({
  errorCode,
  errorMessage,
}: {
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
}) {
  return `${errorCode ?? 'error'}: ${errorMessage ?? ''}`;
}

function cutText(jobId: string, { position }: RunRow, { kind, content, bytes }: StreamRow): readonly string[] {
  if (content.length >= bytes) return [];
  const where = `/api/v1/jobs/${jobId}/logs?stream=${kind}&executor=${position}`;
  return [`The last ${content.length} of ${bytes} bytes of ${kind} are shown; all of them are at ${where}.`];
}
