/** Turns the report of an executor run into what the database keeps of it. */
import { type ExecutorRunReport } from '#lib/execution';
import { type FinishedRun } from './run-store.js';
import { type LogStream } from './log-writer.js';

export function finishedRun(
  report: ExecutorRunReport,
  written: Readonly<Record<LogStream, { bytes: number; sha256: string }>>,
  before: { readonly queue: number; readonly stage: number },
): FinishedRun {
  const { outcome, usage, recording, denials } = report;
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
    },
    phasesMs: { ...before, ...report.phasesMs },
    denials: denials.map(({ call, action, description, count, ...shape }) => ({
      call,
      action,
      description,
      count,
      shape,
    })),
    recording,
    logs: {
      stdout: { ...written.stdout, droppedBytes: report.logs.stdout.droppedBytes },
      stderr: { ...written.stderr, droppedBytes: report.logs.stderr.droppedBytes },
    },
  };
}
