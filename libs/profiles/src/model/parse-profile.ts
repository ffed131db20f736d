/** A profile from its JSON text and to its canonical text and digest; nothing that is not understood gets through. */
import { byName, refusalsByName, toRules } from './argument-rules.js';
import { canonicalJson, type Digest, sha256 } from './canonical-json.js';
import { arrayOf, membersOf, ProfileError } from './parse-json.js';
import { FILE_MEMBERS, parseFileMembers } from '../files/parse-files.js';
import { canonicalFiles } from '../files/rights.js';
import { parseArguments } from './parse-arguments.js';
import { type Architecture, ARCHITECTURES, type Profile, type Rule } from './profile.js';

export { ProfileError } from './parse-json.js';

/** MAX_ERRNO of linux/err.h. */
const MAX_ERRNO = 4095;

/** Equal sets of rules have one text, however they are split and ordered. */
export function canonicalProfile(profile: Profile): string {
  return canonicalJson({
    version: profile.version,
    architecture: profile.architecture,
    rules: toRules(byName(profile.rules), refusalsByName(profile.rules)).map(canonicalRule),
    network: profile.network,
    ...(profile.files && { files: canonicalFiles(profile.files).map(({ path, rights }) => ({ path, rights })) }),
    ...(profile.landlockMinimum && { landlockMinimum: profile.landlockMinimum }),
    ...(profile.pids !== undefined && { pids: profile.pids }),
  });
}

/** SHA-256 of the canonical JSON: the identity that is approved. */
export function profileDigest(profile: Profile): Digest {
  return sha256(canonicalProfile(profile));
}

/** Every name that a rule allows, sorted. */
export function allowedNames(profile: Profile): readonly string[] {
  return [...byName(profile.rules).keys()];
}

/**
 * Unknown members are errors: a condition that this version does not know must not be dropped.
 * @throws ProfileError
 */
export function parseProfile(text: string): Profile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ProfileError('$', 'it is no JSON', { cause });
  }
  const members = membersOf(json, '$', ['version', 'architecture', 'rules', 'network'], FILE_MEMBERS);
  if (members.version !== 1) throw new ProfileError('$.version', 'must be 1');
  if (members.network !== 'none') throw new ProfileError('$.network', 'must be "none"');
  const rules = arrayOf(members.rules, '$.rules').map((rule, index) => parseRule(rule, `$.rules[${index}]`));
  requireAlternatives(rules);
  return {
    version: 1,
    architecture: architectureOf(members.architecture),
    rules: toRules(byName(rules), refusalsByName(rules)),
    network: 'none',
    ...parseFileMembers(members),
  };
}

function canonicalRule(rule: Rule) {
  const names = [...rule.names];
  if (rule.action === 'SCMP_ACT_ERRNO') return { names, action: rule.action, errnoRet: rule.errnoRet };
  const { action, args } = rule;
  return { names, action, ...(args && { args: args.map((condition) => ({ ...condition })) }) };
}

function parseRule(value: unknown, at: string): Rule {
  const { names, action, args, errnoRet } = membersOf(value, at, ['names', 'action'], ['args', 'errnoRet']);
  if (action !== 'SCMP_ACT_ALLOW' && action !== 'SCMP_ACT_ERRNO') {
    throw new ProfileError(`${at}.action`, 'must be "SCMP_ACT_ALLOW" or "SCMP_ACT_ERRNO"');
  }
  const parsed = arrayOf(names, `${at}.names`).map((name, index) => callName(name, `${at}.names[${index}]`));
  if (parsed.length === 0) throw new ProfileError(`${at}.names`, 'must not be empty');
  parsed.forEach((name, index) => {
    const previous = parsed[index - 1];
    if (previous !== undefined && previous >= name) throw new ProfileError(`${at}.names[${index}]`, 'must be sorted');
  });
  if (action === 'SCMP_ACT_ERRNO') {
    if (args !== undefined) throw new ProfileError(`${at}.args`, 'belongs to SCMP_ACT_ALLOW alone');
    return { names: parsed, action, errnoRet: errnoOf(errnoRet, `${at}.errnoRet`) };
  }
  if (errnoRet !== undefined) throw new ProfileError(`${at}.errnoRet`, 'belongs to SCMP_ACT_ERRNO alone');
  if (args === undefined) return { names: parsed, action };
  return { names: parsed, action, args: parseArguments(args, parsed, `${at}.args`) };
}

function errnoOf(value: unknown, at: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_ERRNO) return value;
  throw new ProfileError(at, `must be 1 to ${MAX_ERRNO}`);
}

/** Rules of one name are alternatives: one without conditions would make the others say nothing. */
function requireAlternatives(rules: readonly Rule[]): void {
  const seen = new Map<string, Rule>();
  rules.forEach((rule, number) =>
    rule.names.forEach((name, index) => {
      const earlier = seen.get(name);
      if (earlier && !(earlier.args && rule.args)) {
        const isMixed = earlier.action === rule.action && (earlier.args ?? rule.args) !== undefined;
        const problem = isMixed ? 'is named with and without conditions' : 'is named twice';
        throw new ProfileError(`$.rules[${number}].names[${index}]`, `"${name}" ${problem}`);
      }
      seen.set(name, rule);
    }),
  );
}

function callName(value: unknown, at: string): string {
  if (typeof value !== 'string' || !/^[a-z_][a-z0-9_]{0,63}$/.test(value)) {
    throw new ProfileError(at, 'must be a system call name');
  }
  return value;
}

function architectureOf(value: unknown): Architecture {
  const architecture = ARCHITECTURES.find((known) => known === value);
  if (!architecture) throw new ProfileError('$.architecture', `must be one of ${ARCHITECTURES.join(', ')}`);
  return architecture;
}
