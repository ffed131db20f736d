/** The one error of a profile's text. */

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
