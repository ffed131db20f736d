/** Turns the report of an executor run into what the database keeps of it. */
import { type Denial, type DenialList, type ExecutorRunReport } from '#lib/execution';
import { type JobErrorCode } from '#lib/jobs';
import { type Recording } from '#lib/profiles';
import { boundedRecording } from './bounded-recording.js';
import { type FinishedRun, type RunArtifact, type RunDenial } from './run-store.js';
import { type LogStream } from './log-writer.js';

interface RunCircumstances {
  readonly written: Readonly<Record<LogStream, { bytes: number; sha256: string }>>;
  /** Of what came before the run. */
  readonly phasesMs: { readonly queue: number; readonly stage: number };
  /** All of the run, those of an audit included. */
  readonly denials: Pick<DenialList, 'denials' | 'dropped'>;
  /** With the run's variables in it. */
  readonly recording: Recording | undefined;
  readonly errorCode: JobErrorCode | null;
}

const STREAMS = ['stdout', 'stderr'] as const;
const NOT_MEASURED = {
  wallUs: null,
  userUs: null,
  systemUs: null,
  maxRssBytes: null,
  voluntarySwitches: null,
  involuntarySwitches: null,
  callCount: null,
  exitCode: null,
  signal: null,
  landlockStatus: 'NOT_ENFORCED',
} as const;

export function finishedRun(
  report: ExecutorRunReport,
  { written, phasesMs, denials, recording, errorCode }: RunCircumstances,
): FinishedRun {
  const { outcome, usage } = report;
  const calls = recording && Object.values(recording.calls).reduce((sum, count) => sum + count, 0);
  return {
    result: {
      wallUs: usage?.wallUs ?? null,
      userUs: usage?.userUs ?? null,
      systemUs: usage?.systemUs ?? null,
      maxRssBytes: usage?.maxRssBytes ?? null,
      voluntarySwitches: usage?.voluntarySwitches ?? null,
      involuntarySwitches: usage?.involuntarySwitches ?? null,
      callCount: calls ?? null,
      exitCode: outcome.kind === 'exited' ? outcome.exitCode : null,
      signal: outcome.kind === 'signaled' ? outcome.signal : null,
      outcome: outcome.kind,
      errorCode,
      landlockStatus: report.landlockStatus ?? 'NOT_ENFORCED',
      denialsDropped: denials.dropped,
    },
    phasesMs: { ...phasesMs, ...report.phasesMs },
    denials: denials.denials.map((denial, position) => runDenial(position, denial)),
    recording: recording && boundedRecording(recording),
    artifacts: artifactsOf(report, written),
  };
}

/** Of which nothing was measured. A file that it prints to could not be made: then the payload could not be executed. */
export function unreportedRun(
  written: RunCircumstances['written'],
  denials: RunCircumstances['denials'],
  errorCode: JobErrorCode,
): FinishedRun {
  return {
    result: {
      ...NOT_MEASURED,
      outcome: errorCode === 'standard-output' ? 'exec-failed' : null,
      errorCode,
      denialsDropped: denials.dropped,
    },
    phasesMs: {},
    denials: denials.denials.map((denial, position) => runDenial(position, denial)),
    recording: undefined,
    artifacts: STREAMS.map((kind) => ({ kind, ...written[kind], droppedBytes: 0, truncated: false })),
  };
}

/** `position`: among the run's denials, in the order in which they first happened. */
export function runDenial(position: number, { call, action, description, count, ...shape }: Denial): RunDenial {
  return { position, call, action, description, count, shape };
}

function artifactsOf({ logs, trace }: ExecutorRunReport, written: RunCircumstances['written']): readonly RunArtifact[] {
  return [
    ...STREAMS.map((kind): RunArtifact => {
      const { droppedBytes } = logs[kind];
      return { kind, ...written[kind], droppedBytes, truncated: droppedBytes > 0 };
    }),
    ...(trace
      ? [
          {
            kind: 'trace',
            bytes: trace.bytes,
            sha256: trace.sha256,
            droppedBytes: 0,
            truncated: trace.truncated,
          } as const,
        ]
      : []),
  ];
}
