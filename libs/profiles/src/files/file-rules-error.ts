/** The one error of learning and expanding file rules: a code for programs, a message for the person who must act. */

export type FileRulesErrorCode =
  /** What was seen does not fold into a profile's number of rules. */
  | 'TOO_MANY_FILE_RULES'
  /** The profile's rules and the job's places together are more than one Landlock ruleset may have. */
  | 'TOO_MANY_LANDLOCK_RULES'
  /** An input, output or temporary place that is no absolute, normalised path, or is the root. */
  | 'BAD_PLACE';

export class FileRulesError extends Error {
  override readonly name = 'FileRulesError';

  constructor(
    readonly code: FileRulesErrorCode,
    message: string,
  ) {
    super(message);
  }
}
