/** Finds out who makes a request, from its headers alone. */
import { isDatabaseAway, type KeyRole } from '#lib/database';
import { within } from '#lib/jobs';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { databaseUnavailable } from '../errors/database-unavailable.js';
import { PorinError } from '../errors/porin-error.js';
import { Facts } from '../facts/facts.js';
import { RateLimits } from '../http/rate-limits.js';
import { keyInHeader, hashApiKey } from './api-key.js';
import { type AnyCaller, type Caller } from './caller.js';

/** Longer than any lookup of a Postgres that works. */
const LOOKUP_TIMEOUT_MS = 5_000;
/** Keys that were right a while ago, by their hash: somebody else's wrong keys from the same address do not stop them. */
const REMEMBERED_KEYS = 10_000;

/** So often the work of one request is begun anew because something has changed meanwhile. */
const TRIES = 5;

@Injectable()
export class Authenticator {
  readonly #rightBefore = new Set<string>();
  readonly #useIsDue = new WeakSet<AnyCaller>();
  /** The version of the facts that a kept caller is of. */
  readonly #asOf = new WeakMap<AnyCaller, string>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly facts: Facts,
    private readonly limits: RateLimits,
  ) {}

  /**
   * Throws authentication-required, api-key-invalid, database-unavailable, and too-many-requests for a network that has sent
   * too many wrong keys: then only keys that were right before are looked up, so that a flood costs no query.
   *
   * `mayBeKept`: the route acts by `asCaller`, so that a caller who was let in a moment ago is not looked up again.
   */
  async authenticate(header: string | undefined, network: string, mayBeKept = false): Promise<AnyCaller> {
    if (header === undefined) {
      throw new PorinError('authentication-required', 'Send an API key: "Authorization: Bearer porin_...".', CHALLENGE);
    }
    const key = keyInHeader(header);
    const hash = key === undefined ? null : hashApiKey(key);
    const name = hash?.toString('base64') ?? '';
    if (!this.#rightBefore.has(name)) this.limits.requireFewWrongKeys(network);
    const caller = hash && (await (mayBeKept ? this.#kept(name, hash) : inTime(this.#find(BY_HASH, hash))));
    if (!caller) {
      this.#rightBefore.delete(name);
      this.limits.countWrongKey(network);
      throw invalidKey();
    }
    this.#remember(name);
    return caller;
  }

  /**
   * Does the work of a route for a caller who may have been kept, with the version of the facts that hold then; again where
   * they have changed, so that nobody is refused, or let in, by what has changed. Throws api-key-invalid, and what the work
   * throws.
   */
  async asCaller<T>(given: Caller, work: (caller: Caller, asOf: string) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const asOf = await this.facts.version();
      try {
        return await work(await this.#confirm(given, asOf), asOf);
      } catch (error) {
        // What is not known to have failed is not done twice.
        if (tries === TRIES || isDatabaseAway(error) || !(await this.facts.haveChanged(asOf))) throw error;
      }
    }
  }

  async #confirm(caller: Caller, asOf: string): Promise<Caller> {
    if (this.#asOf.get(caller) === asOf) return caller;
    const found = await inTime(this.#find(BY_ID, caller.keyId));
    if (!found) throw invalidKey();
    return found as Caller;
  }

  #kept(name: string, hash: Buffer): Promise<AnyCaller | undefined> {
    return this.facts.of(`key ${name}`, async () => {
      const asOf = await this.facts.version();
      const caller = await inTime(this.#find(BY_HASH, hash));
      if (caller) this.#asOf.set(caller, asOf);
      return caller;
    });
  }

  /** One answer for unknown, expired, revoked and disabled: a caller without a valid key learns nothing about others. */
  async #find(where: typeof BY_HASH | typeof BY_ID, value: Buffer | string): Promise<AnyCaller | undefined> {
    const rows: { keyId: string; principalId: string; tenant: string | null; role: KeyRole; isUseDue: boolean }[] =
      await this.dataSource.query(
        `SELECT key.id AS "keyId", principal.id AS "principalId", tenant, role,
           last_used_at IS NULL OR last_used_at < now() - interval '1 minute' AS "isUseDue"
         FROM api_key AS key JOIN principal ON principal.id = key.principal_id
         WHERE ${where} AND revoked_at IS NULL AND expires_at > now() AND disabled_at IS NULL`,
        [value],
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
    if (!this.#useIsDue.delete(caller)) return;
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

const BY_HASH = 'sha256 = $1';
const BY_ID = 'key.id = $1';

function invalidKey(): PorinError {
  return new PorinError('api-key-invalid', 'This API key is unknown, expired or revoked.', CHALLENGE);
}

/** RFC 9110, section 15.5.2. */
const CHALLENGE = { headers: { 'WWW-Authenticate': 'Bearer realm="porin"' } };

/** A Postgres that takes connections and says nothing would hold requests of people who may have no key. */
function inTime<T>(answer: Promise<T>): Promise<T> {
  return within(answer, LOOKUP_TIMEOUT_MS, databaseUnavailable);
}
