/** Calls in words that people read: the one describer of denials, traces and reviews. */
import { argumentBits, argumentCount } from './argument-widths.js';
import { wordingOf } from './worded-arguments.js';
import { type OtherArgument, plainNumber } from './wording.js';

export interface ObservedCall {
  readonly call: string;
  /** By argument; what is missing is not known. */
  readonly values: readonly (bigint | undefined)[];
  /** What arguments point to, by argument and in words. */
  readonly texts?: ReadonlyMap<number, string>;
}

/**
 * Every argument that the call takes.
 *
 * @example openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC, 0)
 */
export function describeCall(observed: ObservedCall): string {
  return render(observed, () => true);
}

/**
 * The arguments that tell this use of the call from others, without descriptors, addresses and sizes, which differ from one
 * call of the same use to the next.
 *
 * @example openat("/etc/passwd", O_RDONLY|O_CLOEXEC)
 */
export function describeUse(observed: ObservedCall): string {
  return render(observed, (argument) => wordingOf(observed.call, argument)?.tells ?? false);
}

/** Undefined where the value has no words. `other`: the call's other arguments, as far as they are known. */
export function valueInWords(
  call: string,
  argument: number,
  value: bigint,
  other: OtherArgument = () => undefined,
): string | undefined {
  return wordingOf(call, argument)?.words(value, other);
}

/** Set bits by name; undefined where single bits of the argument mean nothing. */
export function bitsInWords(call: string, argument: number, mask: bigint): string | undefined {
  return wordingOf(call, argument)?.bits?.(mask);
}

function render({ call, values, texts }: ObservedCall, isTold: (argument: number) => boolean): string {
  const known = (argument: number): bigint | undefined => {
    const value = values[argument];
    return value === undefined ? undefined : BigInt.asUintN(argumentBits(call, argument), value);
  };
  const words = Array.from({ length: argumentCount(call) }, (_, argument): string | undefined => {
    const text = texts?.get(argument);
    if (text !== undefined) return text;
    const value = known(argument);
    return value === undefined || !isTold(argument) ? undefined : inWords(call, argument, value, known);
  });
  return `${call}(${words.filter((word) => word !== undefined).join(', ')})`;
}

function inWords(call: string, argument: number, value: bigint, other: OtherArgument): string {
  const wording = wordingOf(call, argument);
  return wording ? (wording.words(value, other) ?? wording.number(value)) : plainNumber(value);
}
