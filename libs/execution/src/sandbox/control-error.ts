/** What goes wrong on the control channel between the worker and porin-init; each code ends the attempt. */

export type ControlChannelErrorCode =
  | 'cannot-listen'
  | 'connect-timeout'
  | 'protocol-version'
  | 'wrong-token'
  | 'unexpected-message'
  | 'malformed-line'
  | 'line-too-long'
  | 'hung-up'
  | 'closed';

export class ControlChannelError extends Error {
  override readonly name = 'ControlChannelError';

  constructor(
    readonly code: ControlChannelErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
