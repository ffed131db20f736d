/** Why a QUEUED job waits, by code, and in words for the person who submitted it. */

export const WAITING_REASONS = {
  'waiting-for-slot': 'waiting for a slot on a node',
  'placing-again': 'will be placed on another node: the last one did not start it',
  'waiting-for-output': 'waiting for an earlier job that writes one of its outputs, or a file above or below one',
  'waiting-for-approved-profile': 'waiting for an administrator to approve a profile',
  'waiting-for-inherited-profile': 'waiting for the rules of an earlier build of its application to be taken over',
  'waiting-for-stage-decision': 'waiting for an administrator: the audit of its profile ended without a promotion',
  'waiting-for-profile-decision':
    'waiting for an administrator to decide about calls that it was refused; approved, it is run again',
  'waiting-for-known-content':
    'waiting for an administrator: its image is that of no application, or of one that it did not start as registered',
  'waiting-for-secret':
    'waiting for a secret that it names: there is none that its submitter may use, or its value cannot be read; tried again every minute',
  'retry-after-lost-worker': 'will be tried again: its worker stopped answering',
  'retry-after-system-error': 'will be tried again after an error that was not its own',
  'retry-after-drain': 'will be tried again: its node was taken out of service',
} as const;
export type WaitingReason = keyof typeof WAITING_REASONS;

export function isWaitingReason(text: string): text is WaitingReason {
  return Object.hasOwn(WAITING_REASONS, text);
}
