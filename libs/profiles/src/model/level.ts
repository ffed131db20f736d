/** The words of enforcement and monitoring, and the pair of them, the level. */

/** What the filter does with a call outside the profile. */
export const ENFORCEMENTS = ['none', 'audit', 'enforce'] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

/**
 * How much is recorded. Each of the first four holds what the one before it does. The two traces are for people and teach
 * nothing: `trace` by strace, with results; `trace-notify` by the supervisor, without.
 */
export const MONITORINGS = ['none', 'syscalls', 'arguments', 'files', 'trace', 'trace-notify'] as const;
export type Monitoring = (typeof MONITORINGS)[number];

/** Makes an artifact for people, and no recording. */
export function isTrace(monitoring: Monitoring): monitoring is 'trace' | 'trace-notify' {
  return monitoring === 'trace' || monitoring === 'trace-notify';
}

export interface Level {
  readonly enforcement: Enforcement;
  readonly monitoring: Monitoring;
}
