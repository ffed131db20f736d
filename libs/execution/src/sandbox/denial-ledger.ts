/** Enters what the control channel says of denied calls into the run's list: the first of each shape, and how often it came. */
import { type DenialList, type ListedDenial } from '../denial-list.js';
import { type ControlMessage, type RawDenial, type Tally } from './control-message.js';
import { toDenial } from './denials.js';

/** What porin-init has denied up to one moment of the payload's time. */
export interface DeniedSoFar {
  /** Since the payload's execve, on porin-init's clock. */
  readonly atUs: number;
  /** By the channel's id, with their counts. */
  readonly listed: readonly ListedDenial[];
  /** Denied calls that found no room in porin-init's report. */
  readonly dropped: number;
  /** The first denial of the call that was dropped last, where there is one. */
  readonly lastDropped: ListedDenial | undefined;
}

/** Whoever must act upon denials while the payload runs. */
export interface DenialHandlers {
  /** The first of a shape, when it happens. */
  readonly onDenial?: (denial: ListedDenial) => void;
  /** At most once a second, while counts grow. */
  readonly onTally?: (soFar: DeniedSoFar) => void;
}

export class DenialLedger {
  /** By the channel's id. */
  readonly #listed: ListedDenial[] = [];
  /** Counts that came last and one after the other, from id 0 on: those before `dropped` are all, and exact. */
  #consecutive = 0;
  #tally: Tally = { kind: 'tally', atUs: 0, dropped: 0, lastDropped: undefined };
  #complete = false;

  constructor(
    private readonly list: DenialList,
    private readonly handlers: DenialHandlers = {},
  ) {}

  /** All counts are in: nothing but the payload's end may follow. */
  get complete(): boolean {
    return this.#complete;
  }

  /**
   * Takes the next message: denials by id, counts that grow and a tally after them, at the end one count for each in order,
   * and dropped. False for others.
   */
  take(message: ControlMessage): boolean {
    if (this.#complete) return false;
    switch (message.kind) {
      case 'denial':
        return this.#add(message);
      case 'count':
        return this.#count(message.id, message.count);
      case 'tally':
        return this.#take(message);
      case 'dropped':
        if (this.#consecutive !== this.#listed.length) return false;
        this.#complete = true;
        return this.#drop(message.count);
      default:
        return false;
    }
  }

  #add(denial: RawDenial): boolean {
    if (denial.id !== this.#listed.length) return false;
    this.#consecutive = 0;
    const listed = this.list.add(toDenial(denial, 1));
    this.#listed.push(listed);
    this.handlers.onDenial?.(listed);
    return true;
  }

  #count(id: number, count: number): boolean {
    const listed = this.#listed[id];
    if (!listed || count < listed.count) return false;
    this.#consecutive = id === this.#consecutive ? id + 1 : id === 0 ? 1 : 0;
    listed.setCount(count);
    return true;
  }

  #take(tally: Tally): boolean {
    const { atUs, dropped, lastDropped } = tally;
    const first = lastDropped === undefined ? undefined : this.#listed[lastDropped];
    if (atUs < this.#tally.atUs || (lastDropped !== undefined && !first) || !this.#drop(dropped)) return false;
    this.#consecutive = 0;
    this.#tally = tally;
    this.handlers.onTally?.({ atUs, listed: this.#listed, dropped, lastDropped: first });
    return true;
  }

  /** `dropped`: in all. */
  #drop(dropped: number): boolean {
    const more = dropped - this.#tally.dropped;
    if (more < 0) return false;
    this.list.drop(more);
    return true;
  }
}
