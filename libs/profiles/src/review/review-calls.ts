/** A profile's calls as a reviewer reads them: by family and by class, with what each lets a program do. */
import { CALL_CLASSES, callClass, callFacts, type CallClass } from '../kernel/families.js';
import { type Alternative, byName } from '../model/argument-rules.js';
import { type CallOrigin, type Origins } from '../model/origins.js';
import { type Profile } from '../model/profile.js';
import { describeConditions } from './describe-conditions.js';
import { diffConditions } from './diff-conditions.js';

/** Against the version that it is based on; of a build's first version, everything is added. */
export const CALL_CHANGES = ['added', 'removed', 'kept'] as const;
export type CallChange = (typeof CALL_CHANGES)[number];

export interface ReviewedCall {
  readonly name: string;
  readonly class: CallClass;
  readonly family: string;
  readonly change: CallChange;
  /** Null of a call that was removed, and where nobody has written it down. */
  readonly origin: CallOrigin | null;
  /** "sends signals to any process of the payload" */
  readonly allows: string;
  /** Alternatives in words; "any arguments" where nothing is held. Of a call that was removed, those that it had. */
  readonly conditions: readonly string[];
  /** Of a call that was kept: alternatives that only this version, and only the one before, allows. */
  readonly admits: readonly string[];
  readonly refuses: readonly string[];
}

export interface ReviewedFamily {
  readonly family: string;
  /** The worst of its calls that the profile allows; of those that it took away where it allows none. */
  readonly class: CallClass;
  /** Sorted names. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

const NO_FAMILY = 'unknown';

/** Dangerous calls first; of one class the added before the removed and the kept, then by name. */
export function reviewCalls(profile: Profile, previous: Profile | null, origins: Origins): readonly ReviewedCall[] {
  const [now, before] = [byName(profile.rules), byName(previous?.rules ?? [])];
  const differing = new Map(diffConditions(profile, previous).map((diff) => [diff.name, diff]));
  const calls = [...new Set([...now.keys(), ...before.keys()])].map((name): ReviewedCall => {
    const change = !before.has(name) ? 'added' : !now.has(name) ? 'removed' : 'kept';
    const diff = change === 'kept' ? differing.get(name) : undefined;
    const facts = callFacts(name);
    return {
      name,
      class: callClass(name),
      family: facts?.family ?? NO_FAMILY,
      change,
      origin: (change !== 'removed' && Object.hasOwn(origins, name) && origins[name]) || null,
      allows: facts?.does ?? 'is not in the table of calls',
      conditions: inWords(name, now.get(name) ?? before.get(name) ?? []),
      admits: diff?.admits ?? [],
      refuses: diff?.refuses ?? [],
    };
  });
  return calls.sort(
    (a, b) =>
      rank(b.class) - rank(a.class) ||
      CALL_CHANGES.indexOf(a.change) - CALL_CHANGES.indexOf(b.change) ||
      (a.name < b.name ? -1 : 1),
  );
}

/** Those with the most dangerous call first, then those that add something, then by name. */
export function reviewFamilies(calls: readonly ReviewedCall[]): readonly ReviewedFamily[] {
  const names = [...new Set(calls.map(({ family }) => family))];
  const families = names.map((family): ReviewedFamily => {
    const members = calls.filter((call) => call.family === family);
    const allowed = members.filter(({ change }) => change !== 'removed');
    const changed = (change: CallChange): readonly string[] =>
      members
        .filter((call) => call.change === change)
        .map(({ name }) => name)
        .sort();
    return {
      family,
      class: worst(allowed.length > 0 ? allowed : members),
      added: changed('added'),
      removed: changed('removed'),
      kept: changed('kept'),
    };
  });
  return families.sort(
    (a, b) =>
      rank(b.class) - rank(a.class) ||
      Number(b.added.length > 0) - Number(a.added.length > 0) ||
      (a.family < b.family ? -1 : 1),
  );
}

function worst(calls: readonly ReviewedCall[]): CallClass {
  return CALL_CLASSES[Math.max(...calls.map((call) => rank(call.class)))] ?? 'dangerous';
}

function rank(of: CallClass): number {
  return CALL_CLASSES.indexOf(of);
}

function inWords(name: string, alternatives: readonly Alternative[]): readonly string[] {
  return alternatives.map((conditions) => describeConditions(name, conditions));
}
