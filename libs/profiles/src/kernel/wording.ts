/** The ways in which the value of a call's argument is put into words. */
import { hex, type Words } from './words/words.js';

/** Another argument of the same call, where its value is known. */
export type OtherArgument = (argument: number) => bigint | undefined;

/** Values are unsigned, and cut to what the kernel reads of the argument. */
export interface Wording {
  /** Undefined where the value has no words. */
  readonly words: (value: bigint, other: OtherArgument) => string | undefined;
  /** Each set bit by name, for masks. Absent where single bits mean nothing. */
  readonly bits?: (value: bigint) => string;
  /** The number, where there are no words. */
  readonly number: (value: bigint) => string;
  /** False where the value tells nothing about the use that is made of the call. */
  readonly tells: boolean;
}

const SMALL = 1024n;

/** Decimal as long as a person reads it so. */
export function plainNumber(value: bigint): string {
  return value < SMALL ? String(value) : hex(value);
}

const without: Pick<Wording, 'words' | 'tells'> = { words: () => undefined, tells: true };
const signed = (value: bigint): string => String(BigInt.asIntN(32, value));

/** One out of a closed set. */
export function one(words: Words): Wording {
  return { words: (value) => named(words, value), number: plainNumber, tells: true };
}

/** Bits, joined with `|`; what has no name stays a hexadecimal number. `zero`: of a value without any. */
export function flags(words: Words, zero = '0'): Wording {
  return {
    words: (value) => (value === 0n ? zero : joined(words, value)),
    bits: (value) => joined(words, value),
    number: hex,
    tells: true,
  };
}

/** One out of a closed set in the bits of `mask`, and flags beside it. */
export function oneWithFlags(ones: Words, mask: bigint, beside: Words): Wording {
  const words = (value: bigint): string | undefined => {
    const rest = value & ~mask;
    const word = named(ones, value & mask);
    if (rest === 0n) return word;
    if (rest === value && word === undefined) return joined(beside, rest);
    return `${word ?? plainNumber(value & mask)}|${joined(beside, rest)}`;
  };
  return { words, bits: (value) => joined(beside, value), number: plainNumber, tells: true };
}

/** Flags above bits that say something else, which are left out. */
export function flagsAbove(mask: bigint, words: Words): Wording {
  const above = flags(words);
  return { ...above, words: (value, other) => above.words(value & ~mask, other) };
}

/** One out of a set that depends on the value of another argument. */
export function oneOf(argument: number, sets: Readonly<Record<number, Words>>): Wording {
  const words = (value: bigint, other: OtherArgument): string | undefined => {
    const key = other(argument);
    const set = key === undefined ? undefined : sets[Number(key)];
    return set && named(set, value);
  };
  return { words, number: plainNumber, tells: true };
}

/** "pid 7" */
export function labelled(label: string): Wording {
  return { words: (value) => `${label} ${signed(value)}`, number: signed, tells: true };
}

export function oneOrLabelled(words: Words, label: string): Wording {
  const unnamed = labelled(label);
  return { ...unnamed, words: (value, other) => named(words, value) ?? unnamed.words(value, other) };
}

/** The permissions of a file as everyone writes them, after its type where `types` has words. */
export function mode(types: Words = {}, mask = 0n): Wording {
  const words = (value: bigint): string => {
    const type = value & mask;
    return [...(type === 0n ? [] : [named(types, type) ?? octal(type)]), octal(value & ~mask)].join('|');
  };
  return { words, number: octal, tells: true };
}

export const DECIMAL: Wording = { ...without, number: signed };
export const HEXADECIMAL: Wording = { ...without, number: hex };

/** An open file, or the working directory. */
export const DESCRIPTOR: Wording = {
  words: (value) => (signed(value) === '-100' ? 'AT_FDCWD' : undefined),
  number: signed,
  tells: false,
};

function named(words: Words, value: bigint): string | undefined {
  return words[Number(value)];
}

function joined(words: Words, value: bigint): string {
  const bits = Object.entries(words).filter(([bit]) => (value & BigInt(bit)) !== 0n);
  const rest = bits.reduce((left, [bit]) => left & ~BigInt(bit), value);
  return [...bits.map(([, name]) => name), ...(rest === 0n ? [] : [hex(rest)])].join('|');
}

function octal(value: bigint): string {
  return value === 0n ? '0' : `0${value.toString(8)}`;
}
