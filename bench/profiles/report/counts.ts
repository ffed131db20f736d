/** How many restricted runs went otherwise than unrestricted ones, and how many calls were refused to honest jobs. */
import { type CaseRun, differenceOf } from '../cases/case-run.js';

export const PROFILE_LEVELS = ['syscalls', 'arguments', 'files'] as const;
export type ProfileLevel = (typeof PROFILE_LEVELS)[number];

export interface Counts {
  readonly runs: number;
  /** Runs with a call outside the profile, or a file refused that changed the result. */
  readonly falseDenials: number;
  /** Runs that ended otherwise than unrestricted. */
  readonly failedJobs: number;
  /** Runs that ended as they do unrestricted, and wrote something else. */
  readonly differingOutputs: number;
  /** Of the runs with a false denial, those that ended COMPLETE with another output: nobody would notice. */
  readonly silentlyWrong: number;
}

export interface JudgedRun {
  readonly run: CaseRun;
  readonly denied: boolean;
  /** At the level `files`: nothing was reported, and the result is another one. Landlock does not report. */
  readonly unreported: boolean;
  readonly failed: boolean;
  readonly differing: readonly string[];
}

/** `unrestricted`: case -> runs. */
export function judge(
  run: CaseRun,
  level: ProfileLevel,
  unrestricted: ReadonlyMap<string, readonly CaseRun[]>,
): JudgedRun {
  const peers = unrestricted.get(run.caseId);
  if (!peers || peers.length === 0) throw new Error(`the case ${run.caseId} was never run unrestricted`);
  const difference = differenceOf(run, peers);
  const denied = run.denials.length > 0;
  const changed = difference.failed || difference.differing.length > 0;
  return { run, denied, unreported: level === 'files' && !denied && changed, ...difference };
}

export function count(judged: readonly JudgedRun[]): Counts {
  const falselyDenied = judged.filter(isFalselyDenied);
  return {
    runs: judged.length,
    falseDenials: falselyDenied.length,
    failedJobs: judged.filter(({ failed }) => failed).length,
    differingOutputs: judged.filter(({ differing }) => differing.length > 0).length,
    silentlyWrong: falselyDenied.filter(({ run, differing }) => run.state === 'COMPLETE' && differing.length > 0)
      .length,
  };
}

export function sumOf(all: readonly Counts[]): Counts {
  const of = (member: keyof Counts) => all.reduce((total, counts) => total + counts[member], 0);
  return {
    runs: of('runs'),
    falseDenials: of('falseDenials'),
    failedJobs: of('failedJobs'),
    differingOutputs: of('differingOutputs'),
    silentlyWrong: of('silentlyWrong'),
  };
}

export function isFalselyDenied({ denied, unreported }: JudgedRun): boolean {
  return denied || unreported;
}
