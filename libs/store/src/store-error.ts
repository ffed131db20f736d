/** What these statements refuse. Whoever answers a person for it answers with the same code. */
import { errorMessage } from '#lib/jobs';

export type StoreErrorCode = 'wrong-profile-state' | 'profile-integrity';

export class StoreError extends Error {
  constructor(
    readonly code: StoreErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** `detail`: whole sentences, what cannot be trusted and what to do. */
export function profileIntegrity(detail: string): StoreError {
  return new StoreError('profile-integrity', errorMessage('profile-integrity', { detail }));
}
