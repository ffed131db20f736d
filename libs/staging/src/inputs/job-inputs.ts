/** What the inputs of a job take on the node: bounded before it is written, each and together, and told of meanwhile. */
import { JobError } from '#lib/jobs';
import { type StagingRules } from '../rules.js';

/** Files and directories in all inputs that are directories. */
export const NAMES_MAXIMUM = 100_000;
export const TOO_MANY_NAMES = 'the directories among the inputs hold more than 100,000 names together';

export interface StagingProgress {
  /** Those that are staged. */
  readonly inputs: number;
  readonly bytes: number;
  /** Of all inputs of the job; null while the size of one is unknown. */
  readonly totalBytes: number | null;
}

type InputLimits = Pick<StagingRules, 'inputLimitBytes' | 'jobInputsLimitBytes'>;
type InputDetails = Readonly<Record<'url' | 'path', string>>;

/** The inputs of one attempt, whether they are staged one after another or side by side. */
export class JobInputs {
  readonly #begun: InputBudget[] = [];
  #expectedBytes = 0;
  #names = 0;

  constructor(
    private readonly limits: InputLimits,
    private readonly count: number,
  ) {}

  begin(details: InputDetails): InputBudget {
    const budget = new InputBudget(details, this.limits, this);
    this.#begun.push(budget);
    return budget;
  }

  /** Null before the first input is begun, and after the last is staged. */
  get progress(): StagingProgress | null {
    const inputs = this.#begun.filter(({ isStaged }) => isStaged).length;
    if (this.#begun.length === 0 || inputs === this.count) return null;
    const isKnown = this.#begun.length === this.count && this.#begun.every(({ isSizeKnown }) => isSizeKnown);
    const bytes = this.#begun.reduce((sum, input) => sum + input.bytes, 0);
    return { inputs, bytes, totalBytes: isKnown ? this.#expectedBytes : null };
  }

  /** Of one of them. Answers with what all of them expect then. */
  expect(moreBytes: number): number {
    this.#expectedBytes += moreBytes;
    return this.#expectedBytes;
  }

  /** False for one name too many. */
  takeName(): boolean {
    return ++this.#names <= NAMES_MAXIMUM;
  }

  giveBackNames(names: number): void {
    this.#names -= names;
  }
}

/** What one of them may take: its own limit, and what the others leave. */
export class InputBudget {
  #bytes = 0;
  #expectedBytes = 0;
  #isSizeKnown = false;
  #isStaged = false;
  #names = 0;

  constructor(
    private readonly details: InputDetails,
    private readonly limits: InputLimits,
    private readonly all: JobInputs,
  ) {}

  /** Its size as its source says it, or null; before its bytes come. Throws as `expect`. */
  announce(bytes: number | null): void {
    if (bytes === null) return;
    this.#isSizeKnown = true;
    this.expect(bytes);
  }

  /** At least so many bytes will come, in all. Throws input-too-large, inputs-too-large. */
  expect(bytes: number): void {
    const { jobInputsLimitBytes: limitBytes } = this.limits;
    if (bytes > this.limitBytes) throw this.tooLarge();
    const together = this.all.expect(Math.max(0, bytes - this.#expectedBytes));
    this.#expectedBytes = Math.max(bytes, this.#expectedBytes);
    if (together > limitBytes) throw JobError.of('inputs-too-large', { ...this.details, bytes: together, limitBytes });
  }

  /** Before so many more are written. Throws as `expect`. */
  take(bytes: number): void {
    this.expect(this.#bytes + bytes);
    this.#bytes += bytes;
  }

  /** Before a file or directory is made in it. False for one too many. */
  takeName(): boolean {
    this.#names += 1;
    return this.all.takeName();
  }

  /** Nothing of it is there any more. */
  startAgain(): void {
    this.all.giveBackNames(this.#names);
    this.#bytes = this.#names = 0;
  }

  /** All of it is there. */
  end(): void {
    this.#isStaged = true;
    this.all.expect(this.#bytes - this.#expectedBytes);
    this.#expectedBytes = this.#bytes;
  }

  tooLarge(): JobError {
    return JobError.of('input-too-large', { ...this.details, limitBytes: this.limitBytes });
  }

  /** Of its own. */
  get limitBytes(): number {
    return this.limits.inputLimitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Grows with all that is staged of it. */
  get moved(): number {
    return this.#bytes + this.#names;
  }

  get isSizeKnown(): boolean {
    return this.#isSizeKnown || this.#isStaged;
  }

  get isStaged(): boolean {
    return this.#isStaged;
  }
}
