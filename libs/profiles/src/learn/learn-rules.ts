/** What recordings teach about system calls: names from all of them, conditions from those that hold arguments. */
import { ERRNO } from '../filter/bpf.js';
import { refusalErrno } from '../filter/eperm.js';
import { callFacts } from '../kernel/families.js';
import {
  type Alternative,
  byName,
  canonicalAlternatives,
  isUnconditional,
  refusalsByName,
  type RulesByName,
  toRules,
} from '../model/argument-rules.js';
import { type Origin, type Origins } from '../model/origins.js';
import { type Architecture, type Rule } from '../model/profile.js';
import { type Recording } from '../model/recording.js';
import { givesUpWriteXorExecute, PROTECTING } from './argument-conditions.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { closeCalls } from './closure.js';
import { isCovered, useOf } from './covered.js';
import { isEnough, isEnoughAtFirst, type LearningOptions, type LearningRun } from './enough.js';
import { ALWAYS_FIXED, familyConditions, fixedConditions } from './fixed-conditions.js';
import { generaliseUses, type Use } from './generalise-uses.js';

const ANY_ARGUMENTS: readonly Alternative[] = [[]];

export interface LearnedRules {
  readonly rules: readonly Rule[];
  /** Of every call that the rules name. */
  readonly origins: Origins;
  /** Whether the rules' conditions come from recorded arguments, now or in the version before. */
  readonly isTaught: boolean;
}

/**
 * Of runs that may teach, at least one. Every profile holds the basic calls, and with closure `families` the harmless rest
 * of the families that were seen; where they were not seen themselves, under their fixed conditions. Conditions on seen
 * calls are learned when the recordings that hold arguments are enough by themselves; else such a call may be made with any
 * arguments. A profile is only ever widened, but a version whose conditions nobody taught may be followed by one that has
 * them.
 */
export function learnRules(
  runs: readonly LearningRun[],
  architecture: Architecture,
  options: LearningOptions,
): LearnedRules {
  const { closure = 'families', beyondDefault = [], basedOnOrigins = {} } = options;
  const old = options.basedOn?.rules ?? [];
  const before = byName(old);
  const wasTaught = options.basedOnTaught ?? isTaughtByLooks(before);
  const aware = runs.map(({ recording }) => recording).filter((recording) => recording.arguments !== undefined);
  const withArguments = runs.filter(({ recording }) => recording.arguments !== undefined);
  const isTaught =
    options.basedOn && wasTaught ? isEnough(withArguments, options) : isEnoughAtFirst(withArguments, options);
  const seen = {
    called: new Set(runs.flatMap(({ recording }) => calledNames(recording))),
    refused: new Set(runs.flatMap(({ recording }) => refusedNames(recording))),
  };
  const closed = closeCalls(seen, { architecture, closure, beyondDefault });
  const held = new HeldArguments(isTaught ? aware : [], before, { wasTaught, families: closed.families });
  const rules = new Map(
    [...new Set([...before.keys(), ...closed.allowed.keys()])].map((name) => [
      name,
      held.alternatives(name, closed.allowed.get(name)?.origin),
    ]),
  );
  const refusals = new Map([
    ...[...closed.refused.keys()].map((name) => [name, ERRNO[refusalErrno(name)]] as const),
    ...refusalsByName(old),
  ]);
  const origins = { ...basedOnOrigins, ...Object.fromEntries([...closed.refused, ...closed.allowed]) };
  return {
    rules: toRules(rules, refusals),
    origins: originsOf([...rules.keys(), ...refusals.keys()], origins),
    isTaught,
  };
}

export function calledNames(recording: Recording): readonly string[] {
  return Object.entries(recording.calls).flatMap(([name, count]) => (count > 0 ? [name] : []));
}

export function refusedNames(recording: Recording): readonly string[] {
  return Object.keys(recording.refused ?? {});
}

/** A call that only the version before brings, and nobody says why, was seen by then. */
function originsOf(names: readonly string[], known: Origins): Origins {
  return Object.fromEntries([...new Set(names)].sort().map((name) => [name, known[name] ?? { origin: 'inherited' }]));
}

function isTaughtByLooks(rules: RulesByName): boolean {
  return [...rules].some(
    ([name, alternatives]) =>
      !isUnconditional(alternatives) &&
      !isEqual(alternatives, fixedConditions(name)) &&
      !isEqual(alternatives, [...fixedConditions(name), ...familyConditions(name)]),
  );
}

function isEqual(one: readonly Alternative[], other: readonly Alternative[]): boolean {
  return JSON.stringify(canonicalAlternatives(one)) === JSON.stringify(canonicalAlternatives(other));
}

/** What the calls of one profile are held to. */
class HeldArguments {
  readonly #givesUpWriteXorExecute: boolean;

  constructor(
    /** Recordings that hold arguments, where they are enough. */
    private readonly aware: readonly Recording[],
    private readonly before: RulesByName,
    private readonly known: { readonly wasTaught: boolean; readonly families: ReadonlySet<string> },
  ) {
    const { wasTaught } = known;
    const protections = [...PROTECTING]
      .flatMap((name) => usesOf(name, aware) ?? [])
      .map(([protection = 0n]) => protection);
    this.#givesUpWriteXorExecute =
      protections.some(givesUpWriteXorExecute) ||
      (wasTaught && [...PROTECTING].some((name) => isUnconditional(before.get(name) ?? [])));
  }

  /** `origin`: undefined where only the version before has the call. */
  alternatives(name: string, origin: Origin | undefined): readonly Alternative[] {
    if (origin === undefined) return this.before.get(name) ?? ANY_ARGUMENTS;
    const { wasTaught, families } = this.known;
    const isKept = wasTaught || this.aware.length === 0;
    const old = isKept ? this.before.get(name) : undefined;
    const { class: of, family = '' } = callFacts(name) ?? {};
    const fixed = of === 'basic' || of === 'harmless' ? [...fixedConditions(name)] : [];
    if (families.has(family)) fixed.push(...familyConditions(name));
    if (PROTECTING.has(name) && this.#givesUpWriteXorExecute) return ANY_ARGUMENTS;
    const held = canonicalAlternatives([...(old ?? []), ...fixed]);
    if (origin !== 'seen') return held;
    const uses = usesOf(name, this.aware);
    if (uses) return PROTECTING.has(name) ? held : widened(name, held, uses);
    return ALWAYS_FIXED.has(name) || (old && wasTaught) ? held : ANY_ARGUMENTS;
  }
}

function widened(name: string, held: readonly Alternative[], uses: readonly Use[]): readonly Alternative[] {
  const fresh = uses.filter((use) => !held.some((conditions) => isCovered(useOf(name, use), conditions)));
  return fresh.length === 0 ? held : canonicalAlternatives([...held, ...generaliseUses(name, fresh)]);
}

/**
 * Null where the call is not argument-aware, or was not made in any of these recordings, or made in one that lacks its
 * uses, as one does that is older than the call's place among the aware ones.
 */
function usesOf(name: string, recordings: readonly Recording[]): readonly Use[] | null {
  const aware = AWARE_ARGUMENTS[name];
  const making = recordings.filter(({ calls }) => (calls[name] ?? 0) > 0);
  if (!aware || making.length === 0) return null;
  const uses = making.map((recording) =>
    // A use without calls is one that a filter refused.
    (recording.arguments ?? []).filter(({ call, count }) => call === name && count > 0),
  );
  const isWhole = uses.every(
    (all) => all.length > 0 && all.every(({ values }) => aware.every(({ argument }) => values[argument] !== undefined)),
  );
  if (!isWhole) return null;
  return uses
    .flat()
    .map(({ values }) => aware.map(({ argument, mask }) => BigInt(values[argument] ?? 0) & BigInt(mask)));
}
