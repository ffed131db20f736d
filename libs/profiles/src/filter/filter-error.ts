/** The one error of the filter compiler: a code for programs, the system calls it is about, a message for the reviewer. */

export type FilterErrorCode =
  /** A list names calls that the architecture does not have. */
  | 'UNKNOWN_SYSCALLS'
  /** Enforcement `audit` or `enforce` without a profile. */
  | 'PROFILE_MISSING'
  /** A program that the kernel, or the meaning of its jumps, would refuse. */
  | 'INVALID_PROGRAM';

export class FilterError extends Error {
  override readonly name = 'FilterError';

  constructor(
    readonly code: FilterErrorCode,
    message: string,
    /** System call names, for UNKNOWN_SYSCALLS. */
    readonly syscalls: readonly string[] = [],
  ) {
    super(message);
  }
}
