/** What the rules of a document say of one call, as far as a profile can say it. */
import { type ArgumentTest } from '../filter/argument-test.js';
import { guardOf } from '../filter/guards.js';
import { isQuietlyRefusable } from '../kernel/engine-default.js';
import { type Alternative, canonicalAlternatives } from '../model/argument-rules.js';
import { type Condition } from '../model/condition.js';
import { meaningOf, reachOf, toCondition } from './document-tests.js';
import { joinAlternatives } from './join-alternatives.js';
import { REPORTED } from './oci-comments.js';
import { type DocumentRule } from './oci-document.js';
import { excludeOneAnother } from './spans.js';

/** Told of what a rule says of a call and the profile does not. */
export type Drop = (rule: DocumentRule, name: string, reason: string) => void;

/** runc's, where a rule names none. */
const DEFAULT_ERRNO = 1;

const allows = ({ action }: DocumentRule): boolean => action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG';

/** Where a rule refuses what another allows, runtimes do not agree which of them holds: it is not allowed. */
export function alternativesOf(name: string, rules: readonly DocumentRule[], drop: Drop): readonly Alternative[] {
  const reaches = rules.filter((rule) => !allows(rule)).map((rule) => reachOf(name, rule.args));
  const taken = rules.filter(allows).flatMap((rule) => {
    const meaning = meaningOf(name, rule.args);
    const isRefused = (tests: readonly ArgumentTest[]): boolean =>
      reaches.some((reach) => reach && !reach.some((test) => tests.some((own) => areApart(own, test))));
    if ('problem' in meaning) drop(rule, name, meaning.problem);
    else if (isRefused(meaning.tests)) drop(rule, name, 'another rule refuses the call with the same arguments');
    else return [meaning.tests];
    return [];
  });
  return withoutGuard(name, canonicalAlternatives(joinAlternatives(taken).map((tests) => tests.map(toCondition))));
}

function areApart(a: ArgumentTest, b: ArgumentTest): boolean {
  return a.argument === b.argument && excludeOneAnother(a, b);
}

/** The errno of a refusal that nobody is to hear of; null where the call is just not allowed. */
export function quietErrno(name: string, rules: readonly DocumentRule[], drop: Drop): number | null {
  const refusals = rules.filter((rule) => !allows(rule) && rule.comment !== REPORTED);
  const errnos = new Set(refusals.map(({ errnoRet }) => errnoRet ?? DEFAULT_ERRNO));
  const quiet = refusals.filter((rule) => {
    const why = whyNotQuiet(name, rule) ?? (errnos.size > 1 ? 'two rules answer with two errnos' : null);
    if (why !== null) drop(rule, name, why);
    return why === null;
  });
  return quiet.length === 0 || quiet.length < refusals.length ? null : (quiet[0]?.errnoRet ?? DEFAULT_ERRNO);
}

function whyNotQuiet(name: string, { action, args, errnoRet }: DocumentRule): string | null {
  if (action === 'SCMP_ACT_TRACE' || action === 'SCMP_ACT_NOTIFY') {
    return `${action} asks another program, and Porin none: the call is not allowed`;
  }
  if (action !== 'SCMP_ACT_ERRNO') return `${action} became a refusal with an errno`;
  if (args.length > 0) return 'it refuses some arguments only: Porin answers them with an errno of its own';
  if (errnoRet === 0) return 'errno 0 would pretend that the call was made: it is not allowed';
  if (!isQuietlyRefusable(name)) return 'Porin reports the call, and answers with an errno of its own';
  return null;
}

/** The guard holds beside every rule, so what it says need not be said again. */
function withoutGuard(name: string, alternatives: readonly Alternative[]): readonly Alternative[] {
  const [first, ...more] = guardOf(name)?.anyOf ?? [];
  if (!first) return alternatives;
  if (more.length === 0) {
    const own = (condition: Condition): boolean => !first.some((guarded) => isSame(guarded, condition));
    return canonicalAlternatives(alternatives.map((conditions) => conditions.filter(own)));
  }
  const isSaid = (guarded: Alternative): boolean =>
    alternatives.some(
      (conditions) =>
        conditions.length === guarded.length && conditions.every((condition, at) => isSame(condition, guarded[at])),
    );
  return [first, ...more].every(isSaid) ? [[]] : alternatives;
}

function isSame(a: Condition, b: Condition | undefined): boolean {
  return a.argument === b?.argument && a.op === b.op && a.value === b.value && a.mask === b.mask;
}
