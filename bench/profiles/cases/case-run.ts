/** One case run once: how it ended, what it wrote, what it was refused; and whether it differs from unrestricted runs. */
import { JOB_STATES } from '#lib/jobs';
import { z } from 'zod';
import { type CorpusCase } from './corpus.js';

const denialSchema = z.object({
  call: z.string(),
  action: z.string(),
  errno: z.string().nullish(),
  description: z.string(),
  count: z.number(),
});
export type Denial = z.infer<typeof denialSchema>;

/** What the bench reads of the answer of GET /api/v1/jobs/{id}. */
export const jobAnswerSchema = z.object({
  id: z.string(),
  state: z.enum(JOB_STATES),
  waitingReason: z.string().nullable(),
  waitingReasonText: z.string().nullable(),
  errorCode: z.string().nullable(),
  errorMessage: z.string().nullable(),
  outputs: z.array(z.object({ path: z.string(), sha256: z.string().nullable() })),
  runs: z.array(
    z.object({
      enforcement: z.string(),
      profileVersionId: z.string().nullable(),
      landlockStatus: z.string(),
      exitCode: z.number().nullable(),
      signal: z.number().nullable(),
      wallUs: z.number().nullable(),
      denials: z.array(denialSchema),
      artifacts: z.array(z.object({ kind: z.string(), sha256: z.string().nullable() })),
      recording: z.object({ partialReasons: z.array(z.string()) }).nullable(),
    }),
  ),
});
export type JobAnswer = z.infer<typeof jobAnswerSchema>;

export interface CaseRun {
  readonly caseId: string;
  readonly jobId: string;
  /** `HELD` where it would have waited for a person. */
  readonly state: string;
  /** What held it, as the node says; null where nothing ran. */
  readonly held: {
    readonly enforcement: string;
    readonly profileVersionId: string | null;
    readonly landlockStatus: string;
  } | null;
  /** Null where the program was killed or never ran; then `error` says why. */
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly error: string | null;
  /** SHA-256 of what it wrote: by output path, and of `stdout`. */
  readonly digests: Readonly<Record<string, string>>;
  readonly denials: readonly Denial[];
  /** Null where nothing was recorded. */
  readonly partialReasons: readonly string[] | null;
  readonly wallUs: number | null;
  /** The end of its standard error, of runs that somebody will want to look into. */
  readonly stderr?: string;
}

export function caseRunOf(caseId: string, job: JobAnswer): CaseRun {
  const last = job.runs.at(-1);
  const stdout = last?.artifacts.find(({ kind }) => kind === 'stdout')?.sha256;
  const written = job.outputs.flatMap(({ path, sha256 }) => (sha256 === null ? [] : [[path, sha256] as const]));
  return {
    caseId,
    jobId: job.id,
    state: job.state === 'QUEUED' ? 'HELD' : job.state,
    held: last ? pickHeld(last) : null,
    exitCode: last?.exitCode ?? null,
    signal: last?.signal ?? null,
    error: errorOf(job),
    digests: { ...Object.fromEntries(written), stdout: stdout ?? 'nothing' },
    denials: job.runs.flatMap(({ denials }) => denials),
    partialReasons: last?.recording?.partialReasons ?? null,
    wallUs: last?.wallUs ?? null,
  };
}

function errorOf({ errorCode, errorMessage, waitingReason, waitingReasonText }: JobAnswer): string | null {
  if (errorCode !== null) return `${errorCode}: ${errorMessage ?? ''}`;
  return waitingReason === null ? null : `${waitingReason}: ${waitingReasonText ?? ''}`;
}

function pickHeld({ enforcement, profileVersionId, landlockStatus }: JobAnswer['runs'][number]) {
  return { enforcement, profileVersionId, landlockStatus };
}

/** State and exit code: what a caller of the program sees of its end. */
export function outcomeOf({ state, exitCode, signal }: CaseRun): string {
  return `${state}, ${signal === null ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signal}`}`;
}

/** Whether it ended as the corpus says of the case. */
export function endsAsExpected({ state, exitCode }: CaseRun, exit: CorpusCase['exit']): boolean {
  if (exit === 'any') return true;
  return exit === 0 ? state === 'COMPLETE' : state === 'EXECUTOR_ERROR' && exitCode !== null && exitCode !== 0;
}

export interface Difference {
  /** It ended as no unrestricted run did. */
  readonly failed: boolean;
  /** Of a run that did not fail: what it wrote otherwise than all unrestricted runs, which agree on it. */
  readonly differing: readonly string[];
}

/** `unrestricted` are runs of the same case, at least one. */
export function differenceOf(run: CaseRun, unrestricted: readonly CaseRun[]): Difference {
  const peers = unrestricted.filter((peer) => outcomeOf(peer) === outcomeOf(run));
  if (peers.length === 0) return { failed: true, differing: [] };
  const names = Object.keys(peers[0]?.digests ?? {});
  const differing = names.filter((name) => {
    const digests = new Set(peers.map(({ digests }) => digests[name]));
    return digests.size === 1 && !digests.has(run.digests[name]);
  });
  return { failed: false, differing };
}
