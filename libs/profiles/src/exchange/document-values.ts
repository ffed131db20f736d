/** The values of a seccomp document from its JSON, each checked as far as a profile needs it. */
import { constants } from 'node:os';
import { arrayOf, ProfileError } from '../model/parse-json.js';

/** MAX_ERRNO of linux/err.h. */
const ERRNO_MAXIMUM = 4095;

/** `null` is the same as nothing, as programs in Go write it. */
export function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

export function textOf(value: unknown, at: string): string {
  if (typeof value !== 'string') throw new ProfileError(at, 'must be a string');
  return value;
}

export function wordOf(value: unknown, at: string): string {
  if (typeof value === 'string' && /^\w{1,64}$/.test(value)) return value;
  throw new ProfileError(at, 'must be a word');
}

export function wordsOf(value: unknown, at: string): readonly string[] {
  if (isNothing(value)) return [];
  return arrayOf(value, at).map((item, index) => wordOf(item, `${at}[${index}]`));
}

export function callOf(value: unknown, at: string): string {
  if (typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value)) return value;
  throw new ProfileError(at, 'must be a system call name');
}

export function integerOf(value: unknown, last: number, at: string, why: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= last) return BigInt(value);
  throw new ProfileError(at, `must be an integer of 0 to ${last}${why}`);
}

export function argumentOf(value: unknown, at: string): bigint {
  return integerOf(value ?? 0, Number.MAX_SAFE_INTEGER, at, ': JSON numbers lose bits above 2^53');
}

/** Podman writes the errno's name beside its number. */
export function errnoOf(errnoRet: unknown, errno: unknown, at: string): number | null {
  const named = isNothing(errno) || errno === '' ? null : textOf(errno, at);
  const number = named === null ? null : new Map<string, number>(Object.entries(constants.errno)).get(named);
  if (number === undefined) throw new ProfileError(at, 'must be the name of an errno');
  if (isNothing(errnoRet)) return number;
  const given = Number(integerOf(errnoRet, ERRNO_MAXIMUM, `${at}Ret`, ''));
  if (number !== null && number !== given) throw new ProfileError(at, `and "errnoRet" contradict one another`);
  return given;
}
