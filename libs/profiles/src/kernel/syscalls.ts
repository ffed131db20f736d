/** System call numbers and names of both architectures, native 64-bit calls only (no i386, x32 or 32-bit Arm). */
import { ARCHITECTURES, type Architecture } from '../model/profile.js';
import { FilterError } from '../filter/filter-error.js';
import { SYSCALLS_AARCH64 } from './generated/syscalls-aarch64.js';
import { SYSCALLS_X86_64 } from './generated/syscalls-x86_64.js';

const TABLES: Readonly<Record<Architecture, readonly (readonly [name: string, number: number])[]>> = {
  x86_64: SYSCALLS_X86_64,
  aarch64: SYSCALLS_AARCH64,
};

function perArchitecture<T>(make: (architecture: Architecture) => T): Readonly<Record<Architecture, T>> {
  return { x86_64: make('x86_64'), aarch64: make('aarch64') };
}

const NUMBERS = perArchitecture((architecture) => new Map(TABLES[architecture]));
const NAMES = perArchitecture((architecture) => new Map(TABLES[architecture].map(([name, number]) => [number, name])));
const SORTED = perArchitecture((architecture) => TABLES[architecture].map(([name]) => name).sort());

/** The call's name, or undefined for a number that the table (Linux 6.19) does not assign. */
export function syscallName(architecture: Architecture, number: number): string | undefined {
  return NAMES[architecture].get(number);
}

export function syscallNumber(architecture: Architecture, name: string): number | undefined {
  return NUMBERS[architecture].get(name);
}

/** Every call of the architecture, sorted by name. */
export function syscallNames(architecture: Architecture): readonly string[] {
  return SORTED[architecture];
}

/**
 * Nothing is silently dropped: a name that the architecture lacks would otherwise become a call the profile seems to
 * hold and the filter does not.
 * @throws FilterError UNKNOWN_SYSCALLS
 */
export function requireKnown(architecture: Architecture, names: readonly string[], list: string): void {
  const unknown = names.filter((name) => !NUMBERS[architecture].has(name));
  if (unknown.length === 0) return;
  throw new FilterError(
    'UNKNOWN_SYSCALLS',
    `${list} names system calls that ${architecture} does not have: ${unknown.join(', ')}`,
    unknown,
  );
}

/**
 * For lists that serve both architectures, where a name may be absent from one but a typing error must not pass.
 * @throws FilterError UNKNOWN_SYSCALLS
 */
export function requireKnownAnywhere(names: readonly string[], list: string): void {
  const unknown = names.filter((name) => !ARCHITECTURES.some((architecture) => NUMBERS[architecture].has(name)));
  if (unknown.length === 0) return;
  throw new FilterError(
    'UNKNOWN_SYSCALLS',
    `${list} names system calls that no supported architecture has: ${unknown.join(', ')}`,
    unknown,
  );
}
