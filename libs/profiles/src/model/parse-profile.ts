/** A profile from its JSON text and to its canonical text and digest; nothing that is not understood gets through. */
import { byName, toRules } from './argument-rules.js';
import { canonicalJson, type Digest, sha256 } from './canonical-json.js';
import { arrayOf, membersOf, ProfileError } from './parse-json.js';
import { FILE_MEMBERS, parseFileMembers } from '../files/parse-files.js';
import { canonicalFiles } from '../files/rights.js';
import { parseArguments } from './parse-arguments.js';
import { type Architecture, ARCHITECTURES, type Profile, type Rule } from './profile.js';

export { ProfileError } from './parse-json.js';

/** Equal sets of rules have one text, however they are split and ordered. */
export function canonicalProfile(profile: Profile): string {
  return canonicalJson({
    version: profile.version,
    architecture: profile.architecture,
    rules: toRules(byName(profile.rules)).map(canonicalRule),
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
  return [...new Set(profile.rules.flatMap(({ names }) => names))].sort();
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
    rules: toRules(byName(rules)),
    network: 'none',
    ...parseFileMembers(members),
  };
}

function canonicalRule({ names, action, args }: Rule) {
  return { names: [...names], action, ...(args && { args: args.map((condition) => ({ ...condition })) }) };
}

function parseRule(value: unknown, at: string): Rule {
  const { names, action, args } = membersOf(value, at, ['names', 'action'], ['args']);
  if (action !== 'SCMP_ACT_ALLOW') throw new ProfileError(`${at}.action`, 'must be "SCMP_ACT_ALLOW"');
  const parsed = arrayOf(names, `${at}.names`).map((name, index) => callName(name, `${at}.names[${index}]`));
  if (parsed.length === 0) throw new ProfileError(`${at}.names`, 'must not be empty');
  parsed.forEach((name, index) => {
    const previous = parsed[index - 1];
    if (previous !== undefined && previous >= name) throw new ProfileError(`${at}.names[${index}]`, 'must be sorted');
  });
  if (args === undefined) return { names: parsed, action };
  return { names: parsed, action, args: parseArguments(args, parsed, `${at}.args`) };
}

/** Rules of one name are alternatives: one without conditions would make the others say nothing. */
function requireAlternatives(rules: readonly Rule[]): void {
  const seen = new Map<string, Rule>();
  rules.forEach((rule, number) =>
    rule.names.forEach((name, index) => {
      const earlier = seen.get(name);
      if (earlier && !(earlier.args && rule.args)) {
        const problem = earlier.args || rule.args ? 'is named with and without conditions' : 'is named twice';
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
