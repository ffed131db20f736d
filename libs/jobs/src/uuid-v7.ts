/** Ids that grow with time, so that the indexes they are in grow at one end. */
import { randomUUID } from 'node:crypto';

/** Where the version is, in the text of a UUID. */
const VERSION_AT = 14;

/** Of RFC 9562, section 5.7: 48 bits of milliseconds, then random bits, which are those of a UUID of version 4. */
export function uuidV7(nowMs: number = Date.now()): string {
  const time = nowMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(VERSION_AT + 1)}`;
}
