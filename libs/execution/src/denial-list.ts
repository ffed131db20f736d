/**
 * The one list of a run's denials, from the line that reports one to the row that keeps it: each at its position and with its
 * count, within the bounds of the report. What porin-init reports comes in by the control channel (DenialLedger); whatever
 * else finds a denial adds it in the same way, also after the payload's end.
 */
import { type Denial } from './executor-run.js';

/** Of the report as a JSON array, but for first denials that came when it was full: under 64 KiB, whatever a payload does. */
const MAX_REPORT_BYTES = 64 * 1024 - 1 - '[]'.length;
/** What a denial may grow by, from a count of 1 to one of 16 digits, and its comma. */
const GROWTH_BYTES = 16;

/** A denial that has been added, whose count may change. */
export class ListedDenial {
  #count: number;

  constructor(
    private readonly denial: Denial,
    /** Its place in the report. Absent where the report has no room for it: then its calls count as dropped. */
    readonly position: number | undefined,
    private readonly onChange: (position: number) => void,
  ) {
    this.#count = denial.count;
  }

  get count(): number {
    return this.#count;
  }

  setCount(count: number): void {
    if (count === this.#count) return;
    this.#count = count;
    if (this.position !== undefined) this.onChange(this.position);
  }

  /** With the count that it has by now. */
  get counted(): Denial {
    return { ...this.denial, count: this.#count };
  }
}

/**
 * @example
 * const list = new DenialList((position) => show(list.at(position)));
 * const mkdir = list.add({ ...denial, call: 'mkdir', count: 1 });
 * mkdir.setCount(7);
 */
export class DenialList {
  readonly #reported: ListedDenial[] = [];
  readonly #unreported: ListedDenial[] = [];
  /** Calls that have a denial in the report, by what happened to them. */
  readonly #calls = new Set<string>();
  #bytes = 0;
  #dropped = 0;

  /** `onChange` gets the position of a denial that is new, or has another count. */
  constructor(private readonly onChange: (position: number) => void = () => undefined) {}

  /** In the order in which they were added: a denial's index is its position. */
  get denials(): readonly Denial[] {
    return this.#reported.map(({ counted }) => counted);
  }

  /** Denied calls that are in none of the denials by now, because the report is bounded. */
  get dropped(): number {
    return this.#unreported.reduce((sum, { count }) => sum + count, this.#dropped);
  }

  at(position: number): Denial | undefined {
    return this.#reported[position]?.counted;
  }

  /**
   * The first denial of a call always has room: no flood of one call hides another. There are as many calls as the kernel
   * has, and 66 of other ABIs and numbers at most (limits.h). One that is equal to another of the list in all but its count is not
   * told from it: whoever adds knows its own.
   */
  add(denial: Denial): ListedDenial {
    const bytes = Buffer.byteLength(JSON.stringify(denial)) + GROWTH_BYTES;
    const hasRoom = this.#bytes + bytes <= MAX_REPORT_BYTES;
    const call = [denial.architecture, denial.number, denial.call, denial.action].join(' ');
    if (!hasRoom && this.#calls.has(call)) {
      const unreported = new ListedDenial(denial, undefined, this.onChange);
      this.#unreported.push(unreported);
      return unreported;
    }
    this.#calls.add(call);
    if (hasRoom) this.#bytes += bytes;
    const position = this.#reported.length;
    const listed = new ListedDenial(denial, position, this.onChange);
    this.#reported.push(listed);
    this.onChange(position);
    return listed;
  }

  /** More denied calls, of which nothing but their number is known. */
  drop(count: number): void {
    this.#dropped += count;
  }
}
