/** Gives recurring statements a name, by which Postgres parses and plans them once for each connection. */

/** More texts than this are sent without a name: those of lists of every length could go on for ever. */
const NAMES_MAXIMUM = 500;
/** Texts that are counted and have no name yet; then counting begins anew. */
const COUNTED_MAXIMUM = 2_000;
/** A text that comes so often comes again. */
const RECURS_AT = 3;
/** One statement, and no command of a transaction or a session. */
const PREPARABLE = /^\s*\(*\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b[^;]*$/i;

export class PreparedStatements {
  readonly #names = new Map<string, string>();
  readonly #seen = new Map<string, number>();

  /** Undefined for a text that does not recur, or cannot be prepared. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= NAMES_MAXIMUM || !PREPARABLE.test(text)) return known;
    const seen = (this.#seen.get(text) ?? 0) + 1;
    if (seen < RECURS_AT) {
      if (this.#seen.size >= COUNTED_MAXIMUM) this.#seen.clear();
      this.#seen.set(text, seen);
      return undefined;
    }
    this.#seen.delete(text);
    const name = `porin_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}
