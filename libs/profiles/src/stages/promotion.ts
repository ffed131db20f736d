/** Whether runs under audit are enough to enforce a version, and where it stands in words. */
import { type Coverage } from '../model/profile.js';
import { type AuditTerms, isAuditOver } from './stage.js';

/** A run under audit that has ended, and neither its canceled job nor the grid ended it. */
export interface AuditedRun {
  /** Of the staged inputs alone: other options make no other input. */
  readonly dataDigest: string;
  /** Denials of any kind, those that went on included, and those that were dropped. */
  readonly denials: number;
  /** It ended by itself with an expected code, and its recording is complete and was checked. */
  readonly isTelling: boolean;
  /** Its recording, which was checked, has all of commonCalls: what does less (`--help`) says nothing. */
  readonly doesTheWork: boolean;
}

export interface PromotionStanding {
  readonly quietRuns: { readonly have: number; readonly need: number };
  readonly inputs: { readonly have: number; readonly need: number };
  /** Of any kind, up to the last one that counts. */
  readonly runs: { readonly have: number; readonly most: number };
  readonly isReached: boolean;
  /** Without recordings behind the version no run is quiet, and a person decides about its stage. */
  readonly isWorkKnown: boolean;
}

/** The calls that every recording behind a version has: what a run does that does the program's work at all. */
export function commonCalls(coverage: Coverage): readonly string[] {
  return Object.keys(coverage).filter((key) => {
    const { seenIn = 0, of = 0 } = coverage[key] ?? {};
    return !key.startsWith('file:') && of > 0 && seenIn === of;
  });
}

/**
 * `runs`: under the version in this stage, oldest first. Quiet runs before a run with a denial do not count, nor do runs
 * after the last one that the terms allow, until a person decides.
 */
export function promotionStanding(
  runs: readonly AuditedRun[],
  terms: AuditTerms,
  isWorkKnown: boolean,
): PromotionStanding {
  const judged = runs.slice(0, terms.runs);
  const since = judged.findLastIndex(({ denials }) => denials > 0) + 1;
  const quiet = judged.slice(since).filter((run) => isWorkKnown && run.isTelling && run.doesTheWork);
  const inputs = new Set(quiet.map(({ dataDigest }) => dataDigest)).size;
  return {
    quietRuns: { have: quiet.length, need: terms.quietRuns },
    inputs: { have: inputs, need: terms.inputs },
    runs: { have: judged.length, most: terms.runs },
    isReached: quiet.length >= terms.quietRuns && inputs >= terms.inputs,
    isWorkKnown,
  };
}

/** Whether its runs have ended without a promotion; the last one may be the one that was missing. */
export function isSpent({ runs, isReached }: PromotionStanding): boolean {
  return !isReached && runs.have >= runs.most;
}

/** Whether it has ended without a promotion: nothing but a person's decision goes on from here. */
export function isUnpromoted(standing: PromotionStanding, terms: AuditTerms, now: Date): boolean {
  return isAuditOver(terms, isSpent(standing), now);
}

/** `promotionSentence(...)` is "audit: 3 of 5 quiet runs, 2 of 3 inputs". */
export function promotionSentence({ quietRuns, inputs, isWorkKnown }: PromotionStanding): string {
  if (!isWorkKnown) return 'audit: no recordings say what its program does, so a person decides when it is enforced';
  return `audit: ${quietRuns.have} of ${quietRuns.need} quiet runs, ${inputs.have} of ${inputs.need} inputs`;
}
