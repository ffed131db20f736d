/** A seccomp document of the OCI runtime specification, or of Docker's and Podman's wider format, from its JSON. */
import { COMPARISONS, type Comparison } from '../model/condition.js';
import { arrayOf, membersOf, ProfileError } from '../model/parse-json.js';
import { argumentOf, callOf, errnoOf, integerOf, isNothing, textOf, wordOf, wordsOf } from './document-values.js';

export const IMPORT_FORMATS = ['oci', 'docker'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

/** config-linux.md, "Seccomp". KILL is the older word for KILL_THREAD. */
export const OCI_ACTIONS = [
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_NOTIFY',
] as const;
export type OciAction = (typeof OCI_ACTIONS)[number];

export interface DocumentArgument {
  readonly index: number;
  readonly op: Comparison;
  readonly value: bigint;
  readonly valueTwo: bigint;
}

/** When a rule of Docker's format is meant; see rule-applies.ts. */
export interface DocumentFilter {
  readonly caps: readonly string[];
  readonly arches: readonly string[];
  readonly minKernel: string | null;
}

export interface DocumentRule {
  /** Its JSON path. */
  readonly at: string;
  readonly names: readonly string[];
  readonly action: OciAction;
  readonly errnoRet: number | null;
  readonly args: readonly DocumentArgument[];
  readonly comment: string | null;
  readonly includes: DocumentFilter;
  readonly excludes: DocumentFilter;
}

export interface OciDocument {
  readonly format: ImportFormat;
  readonly defaultAction: OciAction;
  /** Empty: the native one. */
  readonly architectures: readonly string[];
  /** Members that say nothing about calls. */
  readonly ignored: readonly string[];
  readonly rules: readonly DocumentRule[];
}

const IGNORED = ['flags', 'listenerPath', 'listenerMetadata'] as const;
const DOCKERS = ['archMap', 'defaultErrno'] as const;
const DOCKERS_OF_RULES = ['name', 'includes', 'excludes', 'errno'] as const;
const RULES_MAXIMUM = 4096;
const NAMES_MAXIMUM = 1024;
/** Of all rules together. */
const ALL_NAMES_MAXIMUM = 16_384;
const ARGUMENTS_MAXIMUM = 6;
const NO_FILTER: DocumentFilter = { caps: [], arches: [], minKernel: null };

/**
 * Unknown members are errors: a condition that is not understood must not be dropped. Docker's words are errors where
 * `format` is "oci".
 * @throws ProfileError
 */
export function parseOciDocument(json: unknown, format?: ImportFormat): OciDocument {
  const members = membersOf(
    json,
    '$',
    ['defaultAction'],
    ['defaultErrnoRet', 'architectures', 'syscalls', ...IGNORED, ...DOCKERS],
  );
  const items = isNothing(members.syscalls) ? [] : arrayOf(members.syscalls, '$.syscalls');
  if (items.length > RULES_MAXIMUM) throw new ProfileError('$.syscalls', `has more than ${RULES_MAXIMUM} rules`);
  errnoOf(members.defaultErrnoRet, members.defaultErrno, '$.defaultErrno');
  const dockers = [
    ...DOCKERS.filter((name) => !isNothing(members[name])).map((name) => `$.${name}`),
    ...items.flatMap((item, index) => dockersWords(item, `$.syscalls[${index}]`)),
  ];
  if (format === 'oci' && dockers[0] !== undefined) {
    throw new ProfileError(dockers[0], 'belongs to Docker’s format, and "oci" was said');
  }
  if (!isNothing(members.archMap) && !isNothing(members.architectures)) {
    throw new ProfileError('$.archMap', 'and "architectures" exclude one another');
  }
  const rules = items.map((item, index) => parseRule(item, `$.syscalls[${index}]`));
  if (rules.reduce((sum, { names }) => sum + names.length, 0) > ALL_NAMES_MAXIMUM) {
    throw new ProfileError('$.syscalls', `has more than ${ALL_NAMES_MAXIMUM} names`);
  }
  return {
    format: format ?? (dockers.length > 0 ? 'docker' : 'oci'),
    defaultAction: actionOf(members.defaultAction, '$.defaultAction'),
    architectures: isNothing(members.archMap)
      ? wordsOf(members.architectures, '$.architectures')
      : architecturesOfMap(members.archMap),
    ignored: IGNORED.filter((name) => !isNothing(members[name])),
    rules,
  };
}

function dockersWords(item: unknown, at: string): readonly string[] {
  if (typeof item !== 'object' || item === null) return [];
  return DOCKERS_OF_RULES.filter((name) => Object.hasOwn(item, name)).map((name) => `${at}.${name}`);
}

function architecturesOfMap(value: unknown): readonly string[] {
  return arrayOf(value, '$.archMap').flatMap((item, index) => {
    const at = `$.archMap[${index}]`;
    const { architecture, subArchitectures } = membersOf(item, at, ['architecture'], ['subArchitectures']);
    return [wordOf(architecture, `${at}.architecture`), ...wordsOf(subArchitectures, `${at}.subArchitectures`)];
  });
}

function parseRule(item: unknown, at: string): DocumentRule {
  const members = membersOf(item, at, ['action'], ['names', 'args', 'errnoRet', 'comment', ...DOCKERS_OF_RULES]);
  return {
    at,
    names: namesOf(members.names, members.name, at),
    action: actionOf(members.action, `${at}.action`),
    errnoRet: errnoOf(members.errnoRet, members.errno, `${at}.errno`),
    args: argumentsOf(members.args, `${at}.args`),
    comment: isNothing(members.comment) ? null : textOf(members.comment, `${at}.comment`),
    includes: filterOf(members.includes, `${at}.includes`),
    excludes: filterOf(members.excludes, `${at}.excludes`),
  };
}

/** `name` is how Docker wrote a rule of one call before 1.13. */
function namesOf(names: unknown, name: unknown, at: string): readonly string[] {
  if (isNothing(name) || name === '') {
    const items = arrayOf(names, `${at}.names`);
    if (items.length === 0) throw new ProfileError(`${at}.names`, 'must not be empty');
    if (items.length > NAMES_MAXIMUM) throw new ProfileError(`${at}.names`, `has more than ${NAMES_MAXIMUM} names`);
    return items.map((item, index) => callOf(item, `${at}.names[${index}]`));
  }
  if (!isNothing(names)) throw new ProfileError(`${at}.name`, 'and "names" exclude one another');
  return [callOf(name, `${at}.name`)];
}

function actionOf(value: unknown, at: string): OciAction {
  const action = OCI_ACTIONS.find((known) => known === value);
  if (!action) throw new ProfileError(at, `must be one of ${OCI_ACTIONS.join(', ')}`);
  return action;
}

function argumentsOf(value: unknown, at: string): readonly DocumentArgument[] {
  if (isNothing(value)) return [];
  const items = arrayOf(value, at);
  if (items.length > ARGUMENTS_MAXIMUM) throw new ProfileError(at, `has more than ${ARGUMENTS_MAXIMUM} tests`);
  return items.map((item, number) => {
    const where = `${at}[${number}]`;
    const { index, value: datum, op, valueTwo } = membersOf(item, where, ['index', 'op'], ['value', 'valueTwo']);
    const comparison = COMPARISONS.find((known) => known === op);
    if (!comparison) throw new ProfileError(`${where}.op`, `must be one of ${COMPARISONS.join(', ')}`);
    const place = integerOf(index, ARGUMENTS_MAXIMUM - 1, `${where}.index`, '');
    return {
      index: Number(place),
      op: comparison,
      value: argumentOf(datum, `${where}.value`),
      valueTwo: argumentOf(valueTwo, `${where}.valueTwo`),
    };
  });
}

function filterOf(value: unknown, at: string): DocumentFilter {
  if (isNothing(value)) return NO_FILTER;
  const { caps, arches, minKernel } = membersOf(value, at, [], ['caps', 'arches', 'minKernel']);
  if (!isNothing(minKernel) && minKernel !== '' && !/^\d{1,4}\.\d{1,4}$/.test(textOf(minKernel, `${at}.minKernel`))) {
    throw new ProfileError(`${at}.minKernel`, 'must be a kernel version, such as "4.8"');
  }
  return {
    caps: wordsOf(caps, `${at}.caps`),
    arches: wordsOf(arches, `${at}.arches`),
    minKernel: isNothing(minKernel) || minKernel === '' ? null : (minKernel as string),
  };
}
