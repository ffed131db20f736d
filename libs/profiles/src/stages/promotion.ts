/** Whether runs under audit are enough to enforce a version, and where it stands in words. */
import { type Coverage } from '../model/profile.js';
import { type AuditTerms, isAuditOver } from './stage.js';

/** A run under audit that has ended. */
export interface AuditedRun {
  /** Of the staged inputs alone: other options make no other input. */
  readonly dataDigest: string;
  /** Denials of any kind, those that went on included, and those that were dropped. */
  readonly denials: number;
  /** It ended by itself with an expected code, and its recording is complete and was checked. */
  readonly isTelling: boolean;
  /** Names in its recording; null where there is none that was checked. */
  readonly callNames: readonly string[] | null;
}

export interface PromotionStanding {
  readonly quietRuns: { readonly have: number; readonly need: number };
  readonly inputs: { readonly have: number; readonly need: number };
  /** Of any kind. */
  readonly runs: { readonly have: number; readonly most: number };
  readonly isReached: boolean;
}

/** The calls that every recording behind a version has: what a run does that does the program's work at all. */
export function commonCalls(coverage: Coverage): readonly string[] {
  return Object.keys(coverage).filter((key) => {
    const { seenIn = 0, of = 0 } = coverage[key] ?? {};
    return !key.startsWith('file:') && of > 0 && seenIn === of;
  });
}

/** Whether it says that the version fits: one that does less than every run that taught it (`--help`) says nothing. */
export function isQuietRun({ denials, isTelling, callNames }: AuditedRun, common: readonly string[]): boolean {
  if (denials > 0 || !isTelling || callNames === null) return false;
  const made = new Set(callNames);
  return common.every((call) => made.has(call));
}

/** `runs`: under the version in this stage, oldest first. What was quiet before a run with a denial does not count. */
export function promotionStanding(
  runs: readonly AuditedRun[],
  terms: AuditTerms,
  common: readonly string[],
): PromotionStanding {
  const since = runs.findLastIndex(({ denials }) => denials > 0) + 1;
  const quiet = runs.slice(since).filter((run) => isQuietRun(run, common));
  const inputs = new Set(quiet.map(({ dataDigest }) => dataDigest)).size;
  return {
    quietRuns: { have: quiet.length, need: terms.quietRuns },
    inputs: { have: inputs, need: terms.inputs },
    runs: { have: runs.length, most: terms.runs },
    isReached: quiet.length >= terms.quietRuns && inputs >= terms.inputs,
  };
}

/**
 * Whether it has ended without a promotion: nothing but a person's decision goes on from here. The run that reaches the
 * number of runs may be the one that was missing; none after it.
 */
export function isUnpromoted({ runs, isReached }: PromotionStanding, terms: AuditTerms, now: Date): boolean {
  if (isReached && runs.have <= terms.runs) return isAuditOver(terms, 0, now);
  return isAuditOver(terms, runs.have, now);
}

/** `promotionSentence(...)` is "audit: 3 of 5 quiet runs, 2 of 3 inputs". */
export function promotionSentence({ quietRuns, inputs }: PromotionStanding): string {
  return `audit: ${quietRuns.have} of ${quietRuns.need} quiet runs, ${inputs.have} of ${inputs.need} inputs`;
}
