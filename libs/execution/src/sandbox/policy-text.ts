/** Renders the policy that porin-init carries out, as the lines of docs/control-channel.md. */
import {
  type CompiledFilter,
  encodeProgram,
  FILE_RIGHTS,
  type FileRule,
  type Instruction,
  type LandlockRules,
} from '#lib/profiles';
import { PROTOCOL_VERSION } from './control-message.js';

/** Resources of setrlimit(2) that a policy may set. */
export const RLIMIT_NAMES = ['CPU', 'FSIZE', 'DATA', 'STACK', 'CORE', 'NPROC', 'NOFILE', 'AS', 'MEMLOCK'] as const;
export type RlimitName = (typeof RLIMIT_NAMES)[number];

/** Soft and hard limit in the kernel's unit: bytes, seconds for CPU, a number for NPROC and NOFILE. */
export interface Rlimit {
  readonly soft: number | 'unlimited';
  readonly hard: number | 'unlimited';
}

export interface SandboxPolicy {
  /** The whole argument vector; the first is looked up in the environment's PATH if it has no slash. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path in the container. */
  readonly workingDirectory: string;
  /** Absolute path in the container of a regular file; no link of it is followed. Absent: nothing can be read. */
  readonly standardInput?: string;
  readonly rlimits: Readonly<Partial<Record<RlimitName, Rlimit>>>;
  readonly filter: CompiledFilter;
  /** What may be done to files; absent: nothing is refused. A path that the container does not have grants nothing. */
  readonly landlock?: LandlockRules;
  /** Trace every call that the filter notifies; then, and only then, the answer lets calls go on. */
  readonly trace?: { readonly maximumBytes: number };
}

/** A policy that porin-init would refuse, found before a container is made. The job's own fault. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code = 'invalid-policy';
}

/** MAX_ARG_STRLEN without its NUL, linux/binfmts.h: the kernel takes no longer argument or environment string. */
const MAX_STRING_BYTES = 128 * 1024 - 1;
/** native/init/limits.h. */
const MAX_STRINGS = 8192;
const MAX_PATHS = 4096;
const MAX_STRINGS_BYTES = 2 * 1024 * 1024;

/** Throws PolicyError. */
export function renderPolicy(policy: SandboxPolicy): string {
  const environment = Object.entries(policy.environment).map(([name, value]) => environmentString(name, value));
  if (!policy.arguments[0]) throw new PolicyError('The command is empty.');
  if (!policy.workingDirectory.startsWith('/')) {
    throw new PolicyError(`The working directory ${policy.workingDirectory} is not absolute.`);
  }
  const { standardInput } = policy;
  if (standardInput !== undefined && !standardInput.startsWith('/')) {
    throw new PolicyError(`The standard input ${standardInput} is not absolute.`);
  }
  const rules = policy.landlock ?? [];
  checkRules(rules);
  const places = standardInput === undefined ? [policy.workingDirectory] : [policy.workingDirectory, standardInput];
  checkTotal([...policy.arguments, ...environment, ...places], rules);
  return [
    `policy ${PROTOCOL_VERSION}`,
    ...policy.arguments.map((argument) => `arg ${encodeString(argument)}`),
    ...environment.map((variable) => `env ${encodeString(variable)}`),
    `dir ${encodeString(policy.workingDirectory)}`,
    ...(standardInput === undefined ? [] : [`stdin ${encodeString(standardInput)}`]),
    ...Object.entries(policy.rlimits).map(([name, { soft, hard }]) => `rlimit ${name} ${soft} ${hard}`),
    ...(policy.landlock ? ['landlock'] : []),
    ...rules.map(({ path, rights }) => `path ${encodeRights(rights)} ${encodeString(path)}`),
    ...(policy.trace ? [`trace ${policy.trace.maximumBytes}`] : []),
    `filter ${encodeFilter(policy.filter.filter)}`,
    `answer ${encodeFilter(policy.filter.answer)}`,
    'end\n',
  ].join('\n');
}

function encodeFilter(program: readonly Instruction[]): string {
  return Buffer.from(encodeProgram(program)).toString('base64');
}

/** The first letters, but `execute` is x. */
function encodeRights(rights: FileRule['rights']): string {
  return FILE_RIGHTS.filter((right) => rights.includes(right))
    .map((right) => (right === 'execute' ? 'x' : right.charAt(0)))
    .join('');
}

function environmentString(name: string, value: string): string {
  if (name === '' || name.includes('=')) throw new PolicyError(`"${name}" cannot name an environment variable.`);
  return `${name}=${value}`;
}

function encodeString(value: string): string {
  if (value.includes('\0')) throw new PolicyError('An argument, variable, directory or path contains a NUL character.');
  if (Buffer.byteLength(value) > MAX_STRING_BYTES) {
    throw new PolicyError(`An argument or environment variable is longer than ${MAX_STRING_BYTES} bytes.`);
  }
  return value === '' ? '-' : Buffer.from(value).toString('base64');
}

function checkRules(rules: LandlockRules): void {
  if (rules.length > MAX_PATHS) throw new PolicyError(`The profile has more than ${MAX_PATHS} paths.`);
  for (const { path, rights } of rules) {
    if (!path.startsWith('/')) throw new PolicyError(`The path ${path} of the profile is not absolute.`);
    if (rights.length === 0) throw new PolicyError(`The profile grants nothing on ${path}.`);
  }
}

function checkTotal(strings: readonly string[], rules: LandlockRules): void {
  const all = [...strings, ...rules.map(({ path }) => path)];
  const bytes = all.reduce((sum, value) => sum + Buffer.byteLength(value) + 1, 0);
  if (strings.length > MAX_STRINGS || bytes > MAX_STRINGS_BYTES) {
    throw new PolicyError(
      `The command line and environment are too large: at most ${MAX_STRINGS} strings, and with the profile's paths ${MAX_STRINGS_BYTES} bytes.`,
    );
  }
}
