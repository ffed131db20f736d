/** Puts what can go wrong while an attempt runs into the words of the error catalogue. */
import { isServerOverwhelmed } from '#lib/database';
import {
  type Denial,
  ExecutionError,
  type ExecutorOutcome,
  type ExecutorRunReport,
  type ForeignProgram,
  ImageError,
  type RunLimits,
  type StopReason,
} from '#lib/execution';
import { JobError, shownName } from '#lib/jobs';

export interface RunFacts {
  readonly limits: RunLimits;
  readonly wallTimeS: number;
  readonly command: readonly string[];
  readonly workingDirectory: string;
  readonly stdin: string | null;
  readonly node: string;
}

const ABI_WORDS: Readonly<Record<ForeignProgram['abi'], string>> = { i386: 'i386', x32: 'x32', arm: '32-bit Arm' };

/** Why the file could not be the standard input: errno by name. */
const STANDARD_INPUT_WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  ELOOP: 'the path leads through a symbolic link, which is never followed',
  EISDIR: 'it is a directory',
};

/** Undefined for a payload that ended with exit code 0. */
export function outcomeError(report: ExecutorRunReport, facts: RunFacts): JobError | undefined {
  const { outcome, foreignProgram, limitHits = { refusedForks: 0, oomKills: 0 } } = report;
  const { limits, wallTimeS, command, workingDirectory, stdin, node } = facts;
  // Whatever a script made of its failure, what it was to do is not done.
  if (foreignProgram && !isStoppedByOthers(outcome)) {
    return JobError.of('unsupported-abi', {
      program: foreignProgram.path,
      abi: ABI_WORDS[foreignProgram.abi],
    });
  }
  switch (outcome.kind) {
    case 'exited':
      if (outcome.exitCode === 0) return undefined;
      // A shell whose program was killed ends with a code of its own.
      if (limitHits.oomKills > 0) return JobError.of('out-of-memory', { limitBytes: limits.memoryBytes });
      if (limitHits.refusedForks > 0) return JobError.of('process-limit', { limit: limits.pids });
      return JobError.of('exit-code', { exitCode: outcome.exitCode });
    case 'signaled':
      return outcome.oomKilled
        ? JobError.of('out-of-memory', { limitBytes: limits.memoryBytes })
        : JobError.of('killed-by-signal', { signal: outcome.signal });
    case 'exec-failed':
      if (outcome.stage === 'stdin') {
        const detail = STANDARD_INPUT_WORDS[outcome.errno] ?? outcome.errno;
        return JobError.of('standard-input', { path: stdin ?? '', detail });
      }
      if (outcome.stage === 'directory') {
        return JobError.of('working-directory', { directory: workingDirectory, errno: outcome.errno });
      }
      return outcome.errno === 'ENOENT'
        ? JobError.of('command-not-found', { command: command[0] ?? '' })
        : JobError.of('command-not-executable', { command: command[0] ?? '', errno: outcome.errno });
    case 'stopped':
      return stopError(outcome.reason, { limits, wallTimeS, node }, report.stoppedBy);
  }
}

/** Reasons to stop a payload that are not of its own making. */
const STOPS_BY_OTHERS: ReadonlySet<StopReason> = new Set(['canceled', 'lease-lost', 'draining', 'control-channel']);

export function isStoppedByOthers(outcome: ExecutorOutcome): boolean {
  return outcome.kind === 'stopped' && STOPS_BY_OTHERS.has(outcome.reason);
}

export function stopError(
  reason: StopReason,
  { limits, wallTimeS, node }: Pick<RunFacts, 'limits' | 'wallTimeS' | 'node'>,
  stoppedBy?: Denial,
): JobError {
  switch (reason) {
    case 'dangerous-call':
      return JobError.of('denied', { detail: stoppedBy?.description ?? 'a dangerous call' });
    case 'denial-storm':
      return JobError.of('denial-storm', { detail: stoppedBy?.description ?? 'a refused call' });
    case 'wall-time':
      return JobError.of('wall-time-exceeded', { limitS: wallTimeS });
    case 'disk-limit':
      return JobError.of('disk-limit', { limitBytes: limits.diskBytes });
    case 'canceled':
      return JobError.of('canceled', {});
    case 'lease-lost':
      return JobError.of('lease-lost', { node });
    case 'draining':
      return JobError.of('node-draining', { node });
    case 'control-channel':
      return JobError.of('control-channel', { detail: 'the connection was lost while the payload ran.' });
  }
}

/** Whatever was thrown, as an error of the catalogue. */
export function toJobError(error: unknown, node: string): JobError {
  if (error instanceof JobError) return error;
  if (!(error instanceof ExecutionError)) {
    const detail = shownName(error instanceof Error ? error.message : String(error));
    const code = isServerOverwhelmed(error) ? 'database-away' : 'internal-error';
    return JobError.of(code, { detail }, { cause: error });
  }
  const detail = shownName(error.message);
  switch (error.code) {
    case 'invalid-policy':
      return JobError.of('policy-invalid', { detail }, { cause: error });
    case 'control-channel':
      return JobError.of('control-channel', { detail }, { cause: error });
    case 'recorder-lost':
      return JobError.of('recorder-lost', { node, detail }, { cause: error });
    case 'landlock-unavailable':
      return JobError.of('landlock-unavailable', { node, detail }, { cause: error });
    case 'engine-error':
      return JobError.of('engine-error', { node, detail }, { cause: error });
  }
}

export function imageJobError(error: unknown, image: string, architecture: string): unknown {
  if (!(error instanceof ImageError)) return error;
  if (error.code === 'image-architecture') {
    const { imageArchitecture = 'another architecture' } = error;
    return JobError.of(error.code, { image, imageArchitecture, architecture }, { cause: error });
  }
  return JobError.of(error.code, { image, detail: error.message }, { cause: error });
}
