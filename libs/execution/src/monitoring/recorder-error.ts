/** What goes wrong with the recorder, by code. */

/** The codes porin-recorder answers (docs/recorder-protocol.md), and those of the driver. */
export const RECORDER_ERROR_CODES = [
  'no-btf',
  'bpf-not-permitted',
  'bpf-load-failed',
  'bad-line',
  'unknown-command',
  'bad-argument',
  'duplicate-id',
  'unknown-id',
  'no-process',
  'no-cgroup',
  'root-cgroup',
  'cgroup-outside-mount',
  'already-recorded',
  'full',
  'arm-failed',
  'read-failed',
  /** porin-recorder could not be executed. */
  'not-started',
  /** It answered what this driver does not understand. */
  'protocol',
  /** It ended, or did not answer in time. */
  'lost',
] as const;
export type RecorderErrorCode = (typeof RECORDER_ERROR_CODES)[number];

export class RecorderError extends Error {
  override readonly name = 'RecorderError';

  constructor(
    readonly code: RecorderErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
