/** Which cases of an application a profile is learned from. */
import { type CorpusCase } from './corpus.js';

/** As many as Porin asks for before it proposes. */
export const LEARNED_CASES = 3;

export const LEARN_FROM = ['spread', 'first'] as const;
export type LearnFrom = (typeof LEARN_FROM)[number];

/** An administrator shows a program what it is for, then its threads, then an option, then more data. */
const KINDS = ['data', 'threads', 'option', 'data', 'data'] as const;

/**
 * The chosen ones first, then the others in their order. `first` takes the cases as they come, which are mostly of the kind
 * `data`; `spread` takes the first case of every kind.
 */
export function inLearningOrder(cases: readonly CorpusCase[], how: LearnFrom): readonly CorpusCase[] {
  if (how === 'first') return cases;
  const chosen: CorpusCase[] = [];
  for (const kind of KINDS) {
    const next = cases.find((each) => each.kind === kind && !chosen.includes(each));
    if (next && chosen.length < LEARNED_CASES) chosen.push(next);
  }
  return [...chosen, ...cases.filter((each) => !chosen.includes(each))];
}
