/** Finds out who makes a request, from its headers alone. */
import { type KeyRole } from '#lib/database';
import { within } from '#lib/jobs';
import { type DataSource } from 'typeorm';
import { databaseUnavailable } from '../errors/database-unavailable.js';
import { PorinError } from '../errors/porin-error.js';
import { type RateLimits } from '../http/rate-limits.js';
import { bearerKey, hashApiKey } from './api-key.js';
import { type AnyCaller } from './caller.js';

/** Longer than any lookup of a Postgres that works. */
const LOOKUP_TIMEOUT_MS = 5_000;
/** Keys that were right a while ago, by their hash: somebody else's wrong keys from the same address do not stop them. */
const REMEMBERED_KEYS = 10_000;

export class Authenticator {
  readonly #rightBefore = new Set<string>();
  readonly #useIsDue = new WeakSet<AnyCaller>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly limits: RateLimits,
  ) {}

  /**
   * Throws authentication-required, api-key-invalid, database-unavailable, and too-many-requests for a network that has sent
   * too many wrong keys: then only keys that were right before are looked up, so that a flood costs no query.
   */
  async authenticate(header: string | undefined, network: string): Promise<AnyCaller> {
    if (header === undefined) {
      throw new PorinError('authentication-required', 'Send an API key: "Authorization: Bearer porin_...".', CHALLENGE);
    }
    const key = bearerKey(header);
    const hash = key === undefined ? null : hashApiKey(key);
    const name = hash?.toString('base64') ?? '';
    if (!this.#rightBefore.has(name)) this.limits.requireFewWrongKeys(network);
    const caller = hash && (await inTime(this.#find(hash)));
    if (!caller) {
      this.#rightBefore.delete(name);
      this.limits.countWrongKey(network);
      throw new PorinError('api-key-invalid', 'This API key is unknown, expired or revoked.', CHALLENGE);
    }
    this.#remember(name);
    return caller;
  }

  /** One answer for unknown, expired, revoked and disabled: a caller without a valid key learns nothing about others. */
  async #find(hash: Buffer): Promise<AnyCaller | undefined> {
    const rows: { keyId: string; principalId: string; tenant: string | null; role: KeyRole; isUseDue: boolean }[] =
      await this.dataSource.query(
        `SELECT key.id AS "keyId", principal.id AS "principalId", tenant, role,
           last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS "isUseDue"
         FROM api_key AS key JOIN principal ON principal.id = key.principal_id
         WHERE sha256 = $1 AND revoked_at IS NULL AND expires_at > now() AND disabled_at IS NULL`,
        [hash],
      );
    const [row] = rows;
    if (!row) return undefined;
    const { isUseDue, ...found } = row;
    // The database holds the two together: an operator's key is of no tenant, and every other one is.
    const caller = found as AnyCaller;
    if (isUseDue) this.#useIsDue.add(caller);
    return caller;
  }

  /** To the minute: most requests find that it was noted. */
  async noteUse(caller: AnyCaller): Promise<void> {
    if (!this.#useIsDue.has(caller)) return;
    await inTime(
      this.dataSource.query(
        `UPDATE api_key SET last_used_at = now()
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
        [caller.keyId],
      ),
    );
  }

  #remember(name: string): void {
    this.#rightBefore.delete(name);
    this.#rightBefore.add(name);
    const [oldest] = this.#rightBefore;
    if (this.#rightBefore.size > REMEMBERED_KEYS && oldest !== undefined) this.#rightBefore.delete(oldest);
  }
}

/** RFC 9110, section 15.5.2. */
const CHALLENGE = { headers: { 'WWW-Authenticate': 'Bearer realm="porin"' } };

/** A Postgres that takes connections and says nothing would hold requests of people who may have no key. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return within(answer, LOOKUP_TIMEOUT_MS, databaseUnavailable);
}
