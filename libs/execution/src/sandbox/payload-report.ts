/** Gathers what porin-init tells of a payload between its start and its end, and whether it may be told at that moment. */
import { type DenialList } from '../denial-list.js';
import { type ForeignProgram } from '../executor-run.js';
import { type ControlMessage, type Exited, type ForeignCalls, type Traced } from './control-message.js';
import { type DenialHandlers, DenialLedger } from './denial-ledger.js';

export interface PayloadEnd {
  readonly exited: Exited;
  readonly foreignCalls: Omit<ForeignCalls, 'kind'>;
  readonly foreignProgram?: ForeignProgram;
  /** With a trace. */
  readonly traced?: Omit<Traced, 'kind'>;
}

/** What may happen between `started` and the payload's end. */
export interface PayloadHandlers extends DenialHandlers {
  /** Whole lines of the trace. The payload waits while this has not resolved. Needed exactly where the policy has a trace. */
  readonly onTrace?: (text: Buffer) => void | Promise<void>;
  /** May look at the container while porin-init is still in it: it waits 10 s for this to resolve. */
  readonly onExited?: (exited: Exited) => Promise<void>;
}

export class PayloadReport {
  readonly #ledger: DenialLedger;
  #traced: PayloadEnd['traced'];
  #foreignCalls: PayloadEnd['foreignCalls'] | undefined;
  #foreignProgram: ForeignProgram | undefined;

  /** `denials` gets the first call of each shape when it happens, and how often it has happened. */
  constructor(
    denials: DenialList,
    private readonly handlers: PayloadHandlers,
  ) {
    this.#ledger = new DenialLedger(denials, handlers);
  }

  /** All that comes before `exited`; undefined while something is missing. */
  get complete(): Omit<PayloadEnd, 'exited'> | undefined {
    if (!this.#ledger.complete || !this.#foreignCalls || (this.handlers.onTrace && !this.#traced)) return undefined;
    return {
      foreignCalls: this.#foreignCalls,
      ...(this.#foreignProgram && { foreignProgram: this.#foreignProgram }),
      ...(this.#traced && { traced: this.#traced }),
    };
  }

  /** False for a message that may not come now. */
  async take(message: ControlMessage): Promise<boolean> {
    switch (message.kind) {
      case 'foreign-program':
        if (this.#foreignProgram || this.#foreignCalls) return false;
        this.#foreignProgram = message.program;
        return true;
      case 'foreign-calls':
        if (this.#foreignCalls) return false;
        this.#foreignCalls = { compat: message.compat, x32: message.x32 };
        return true;
      case 'trace':
        if (!this.handlers.onTrace || this.#traced) return false;
        await this.handlers.onTrace(message.text);
        return true;
      case 'traced':
        if (!this.handlers.onTrace || this.#traced) return false;
        this.#traced = { calls: message.calls, callsBeyondMaximum: message.callsBeyondMaximum };
        return true;
      default:
        return this.#ledger.take(message);
    }
  }
}
