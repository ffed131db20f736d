/** What comes next while a profile is audited: runs, an approval, or the end. */
import { AUDIT_RUNS_MAXIMUM } from '#lib/profiles';
import { type CorpusCase } from '../cases/corpus.js';
import { type Standing } from './learner.js';
import { type Plan } from '../cases/plan.js';

export interface AuditCourse {
  /** Jobs that ran while the profile was audited. */
  readonly runs: number;
  /** Versions approved after the first one. */
  readonly approved: number;
  /** False: an administrator had to enforce it. */
  readonly isPromoted: boolean;
}

export type Step =
  | { readonly kind: 'wait' }
  | { readonly kind: 'approve'; readonly profileId: string }
  | { readonly kind: 'run'; readonly runs: number }
  | { readonly kind: 'end'; readonly isPromoted: boolean };

/** `runs`: what there were of any kind since the first approval. */
export function nextStep({ waiting, proposedId, stage }: Standing, runs: number): Step {
  if (waiting > 0 || !stage) return { kind: 'wait' };
  if (proposedId !== null) return { kind: 'approve', profileId: proposedId };
  if (stage.stage === 'enforce') return { kind: 'end', isPromoted: true };
  const { quietRuns, inputs, isOver } = stage.promotion;
  const missing = Math.max(quietRuns.need - quietRuns.have, inputs.need - inputs.have);
  if (missing <= 0 && !isOver) return { kind: 'wait' };
  if (isOver || runs >= AUDIT_RUNS_MAXIMUM) return { kind: 'end', isPromoted: false };
  return { kind: 'run', runs: Math.min(missing, AUDIT_RUNS_MAXIMUM - runs) };
}

/** So many cases after those that ran before: what is left to learn from first, then all of them again and again. */
export function auditedCases({ learned, further }: Plan, before: number, runs: number): readonly CorpusCase[] {
  const round = [...further, ...learned];
  return Array.from({ length: runs }, (_, index) => round[(before + index) % round.length] as CorpusCase);
}
