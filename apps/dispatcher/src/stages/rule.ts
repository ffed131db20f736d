/** A rule that decides about builds or profile versions in a person's place. */
import { type ApprovalKeys } from '#lib/profiles';
import { type EntityManager } from 'typeorm';

export interface Candidate {
  /** Of the build or version. */
  readonly id: string;
  /** What the decision rests on, in a few words: it is not looked at again while they are the same. Always, where absent. */
  readonly facts?: string;
}

export interface Rule {
  /** What it may decide about. */
  readonly candidates: (manager: EntityManager) => Promise<readonly Candidate[]>;
  /** What it decided, if anything; it looks at the candidate again under its build's lock. */
  readonly decide: (manager: EntityManager, keys: ApprovalKeys, id: string) => Promise<unknown>;
}
