/** Enters what the control channel says of denied calls into the run's list: the first of each shape, and how often it came. */
import { type DenialList, type ListedDenial } from '../denial-list.js';
import { type ControlMessage } from './control-message.js';
import { toDenial } from './denials.js';

export class DenialLedger {
  /** By the channel's id. */
  readonly #listed: ListedDenial[] = [];
  /** Counts that came last and one after the other, from id 0 on: those before `dropped` are all, and exact. */
  #consecutive = 0;
  #complete = false;

  constructor(private readonly list: DenialList) {}

  /** All counts are in: nothing but the payload's end may follow. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Takes the next message: denials by id, counts that grow, at the end one for each in order, and dropped. False for others. */
  take(message: ControlMessage): boolean {
    if (this.#complete) return false;
    if (message.kind === 'denial' && message.id === this.#listed.length) {
      this.#consecutive = 0;
      this.#listed.push(this.list.add(toDenial(message, 1)));
      return true;
    }
    if (message.kind === 'count') return this.#count(message.id, message.count);
    if (message.kind !== 'dropped' || this.#consecutive !== this.#listed.length) return false;
    this.#complete = true;
    this.list.drop(message.count);
    return true;
  }

  #count(id: number, count: number): boolean {
    const listed = this.#listed[id];
    if (!listed || count < listed.count) return false;
    this.#consecutive = id === this.#consecutive ? id + 1 : id === 0 ? 1 : 0;
    listed.setCount(count);
    return true;
  }
}
