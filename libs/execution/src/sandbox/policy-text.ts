/** Renders the policy that porin-init carries out, as the lines of docs/control-channel.md. */
import { type CompiledFilter, encodeProgram, type Enforcement, type Instruction } from '#lib/profiles';

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
  readonly rlimits: Readonly<Partial<Record<RlimitName, Rlimit>>>;
  readonly enforcement: Enforcement;
  readonly filter: CompiledFilter;
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
const MAX_STRINGS_BYTES = 2 * 1024 * 1024;

/** Throws PolicyError. */
export function renderPolicy(policy: SandboxPolicy): string {
  const environment = Object.entries(policy.environment).map(([name, value]) => environmentString(name, value));
  if (!policy.arguments[0]) throw new PolicyError('The command is empty.');
  if (!policy.workingDirectory.startsWith('/')) {
    throw new PolicyError(`The working directory ${policy.workingDirectory} is not absolute.`);
  }
  checkTotal([...policy.arguments, ...environment, policy.workingDirectory]);
  return [
    'policy 1',
    ...policy.arguments.map((argument) => `arg ${encodeString(argument)}`),
    ...environment.map((variable) => `env ${encodeString(variable)}`),
    `dir ${encodeString(policy.workingDirectory)}`,
    ...Object.entries(policy.rlimits).map(([name, { soft, hard }]) => `rlimit ${name} ${soft} ${hard}`),
    `enforcement ${policy.enforcement}`,
    `filter ${encodeFilter(policy.filter.filter)}`,
    `answer ${encodeFilter(policy.filter.answer)}`,
    'end\n',
  ].join('\n');
}

function encodeFilter(program: readonly Instruction[]): string {
  return Buffer.from(encodeProgram(program)).toString('base64');
}

function environmentString(name: string, value: string): string {
  if (name === '' || name.includes('=')) throw new PolicyError(`"${name}" cannot name an environment variable.`);
  return `${name}=${value}`;
}

function encodeString(value: string): string {
  if (value.includes('\0')) throw new PolicyError('An argument, variable or directory contains a NUL character.');
  if (Buffer.byteLength(value) > MAX_STRING_BYTES) {
    throw new PolicyError(`An argument or environment variable is longer than ${MAX_STRING_BYTES} bytes.`);
  }
  return value === '' ? '-' : Buffer.from(value).toString('base64');
}

function checkTotal(strings: readonly string[]): void {
  const bytes = strings.reduce((sum, value) => sum + Buffer.byteLength(value) + 1, 0);
  if (strings.length > MAX_STRINGS || bytes > MAX_STRINGS_BYTES) {
    throw new PolicyError(
      `The command line and environment are too large: at most ${MAX_STRINGS} strings of ${MAX_STRINGS_BYTES} bytes together.`,
    );
  }
}
