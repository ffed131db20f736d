/** The pieces that a profile's JSON is read with, and the error that says where it is malformed. */

/** `at` is the JSON path of what is wrong ("$.rules[0].names[2]"). */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
  readonly code = 'profile-malformed';

  constructor(
    readonly at: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`the profile is malformed at ${at}: ${problem}`, options);
  }
}

/** Characters of an unknown member's name that an error shows. */
const NAME_MAXIMUM = 64;

/** Its members. What is neither in `names` nor in `optional` is an error, and so is what `names` has and it lacks. */
export function membersOf<const N extends string, const O extends string = never>(
  value: unknown,
  at: string,
  names: readonly N[],
  optional: readonly O[] = [],
): Record<N, unknown> & Partial<Record<O, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProfileError(at, 'must be an object');
  for (const name of Object.keys(value)) {
    if (![...names, ...optional].some((known) => known === name)) {
      throw new ProfileError(`${at}.${name.slice(0, NAME_MAXIMUM)}`, 'is unknown');
    }
  }
  for (const name of names) {
    if (!Object.hasOwn(value, name)) throw new ProfileError(`${at}.${name}`, 'is missing');
  }
  return value as Record<N, unknown> & Partial<Record<O, unknown>>;
}

export function arrayOf(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ProfileError(at, 'must be an array');
  return value;
}
