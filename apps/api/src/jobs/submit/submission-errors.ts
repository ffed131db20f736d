/** What may be wrong with what is submitted, by whichever routes a job is made. */
import { type ErrorCode } from '../../errors/porin-error.js';

export const SUBMISSION_ERRORS: readonly ErrorCode[] = [
  ...(['profile-required', 'audit-needs-profile'] as const),
  ...(['input-not-allowed', 'output-not-allowed', 'unknown-secret'] as const),
  ...(['priority-not-allowed', 'level-not-allowed', 'level-impossible', 'monitoring-unavailable'] as const),
  ...(['too-many-jobs', 'tenant-storage-full'] as const),
];
