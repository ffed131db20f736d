/** The one error of the filter compiler: a code for programs, the system calls it is about, a message for the reviewer. */

export type FilterErrorCode =
  /** A list names calls that the architecture does not have. */
  | 'UNKNOWN_SYSCALLS'
  /** Enforcement `audit` or `enforce` without a profile. */
  | 'PROFILE_MISSING'
  /** A condition on no scalar argument, or with a value beyond the argument's width. */
  | 'INVALID_CONDITION'
  /** More instructions than the kernel takes. */
  | 'TOO_LARGE'
  /** A program that the kernel, or the meaning of its jumps, would refuse. */
  | 'INVALID_PROGRAM';

export class FilterError extends Error {
  override readonly name = 'FilterError';

  constructor(
    readonly code: FilterErrorCode,
    message: string,
    /** System call names: unknown ones, the one with the condition, the one with most instructions. */
    readonly syscalls: readonly string[] = [],
  ) {
    super(message);
  }
}
