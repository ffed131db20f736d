/** Where a page of tasks ends: opaque to clients, and still a place when the task that was there is gone. */

/** In the order of the list: newest first, those of one instant by their id. */
export interface Place {
  /** Microseconds since 1970, in digits. */
  readonly createdUs: string;
  readonly id: string;
}

const TOKEN = /^[A-Za-z0-9_-]{32}$/;
/** In the year 2286. */
const LATEST_US = 10n ** 16n - 1n;
/** Every task comes after it. */
export const BEFORE_ALL: Place = { createdUs: LATEST_US.toString(), id: '00000000-0000-0000-0000-000000000000' };

export function pageToken({ createdUs, id }: Place): string {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64BE(BigInt(createdUs));
  bytes.write(id.replaceAll('-', ''), 8, 'hex');
  return bytes.toString('base64url');
}

/** Undefined for what is no token. */
export function placeOf(token: string): Place | undefined {
  if (!TOKEN.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  const createdUs = bytes.readBigUInt64BE();
  if (createdUs > LATEST_US) return undefined;
  const id = bytes.toString('hex', 8).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { createdUs: createdUs.toString(), id };
}
