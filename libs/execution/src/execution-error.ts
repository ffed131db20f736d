/** Why an executor run ended without a report; none of it is the payload's doing, `invalid-policy` apart. */
import { RecorderError } from './monitoring/recorder-error.js';
import { ControlChannelError } from './sandbox/control-error.js';
import { PolicyError } from './sandbox/policy-text.js';

export type ExecutionErrorCode =
  'control-channel' | 'engine-error' | 'recorder-lost' | 'landlock-unavailable' | 'invalid-policy';

export class ExecutionError extends Error {
  override readonly name = 'ExecutionError';

  constructor(
    readonly code: ExecutionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The errors of the parts that a run is made of, by the code that a job gets; any other is returned as it is. */
export function toExecutionError(error: unknown): unknown {
  if (error instanceof ControlChannelError) {
    return new ExecutionError('control-channel', error.message, { cause: error });
  }
  if (error instanceof RecorderError) return new ExecutionError('recorder-lost', error.message, { cause: error });
  if (error instanceof PolicyError) return new ExecutionError('invalid-policy', error.message, { cause: error });
  return error;
}
