/** What failed is left out for some turns: none after its first failure, and then ever more, so that the rest has its turn. */

const LONGEST_PAUSE = 64;

interface Pause {
  readonly turns: number;
  /** How many of them are to come. */
  left: number;
}

export class Postponed {
  #pauses = new Map<string, Pause>();
  /** Of what this turn tries again. */
  #tried = new Map<string, number>();

  /** The next turn: what is left out of it. Whatever is not and does not fail again is forgotten. */
  turn(): readonly string[] {
    this.#tried = new Map([...this.#pauses].flatMap(([id, { turns, left }]) => (left === 0 ? [[id, turns]] : [])));
    for (const id of this.#tried.keys()) this.#pauses.delete(id);
    for (const pause of this.#pauses.values()) pause.left -= 1;
    return [...this.#pauses.keys()];
  }

  /** It failed in this turn. */
  add(id: string): void {
    const before = this.#tried.get(id);
    const turns = before === undefined ? 0 : Math.min(Math.max(1, 2 * before), LONGEST_PAUSE);
    this.#pauses.set(id, { turns, left: turns });
  }
}
