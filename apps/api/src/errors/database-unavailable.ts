/** What the API answers while the database is away. */
import { PorinError } from './porin-error.js';

const RETRY_AFTER_S = 5;

export function databaseUnavailable(cause?: unknown): PorinError {
  return new PorinError('database-unavailable', 'The database does not answer. Try again soon.', {
    headers: { 'Retry-After': String(RETRY_AFTER_S) },
    cause,
  });
}
