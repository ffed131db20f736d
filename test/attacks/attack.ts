/** A row of the tables of attacks: what an attack tries, and what must be seen of it under each profile. */
import { type ExecutorOutcome, type LimitHits } from '#lib/execution';

/**
 * What stops an attack:
 * - `filter`: the profile lacks the call or its arguments, or the engine's default does;
 * - `ceiling`, `guard`: refused whatever the profile says;
 * - `engine`: the engine's own filter, which is above ours and reports nothing;
 * - `landlock`: the kernel, by the profile's file rules or scopes; nothing is reported;
 * - `porin-init`: it cannot be traced, read or signalled;
 * - `container`: no capability, no network, no device, read-only file systems, its limits;
 * - `nothing`: it goes through, and gives the payload nothing that the profile or the container does not grant anyway.
 */
export const STOPPERS = [
  'filter',
  'ceiling',
  'guard',
  'engine',
  'landlock',
  'porin-init',
  'container',
  'nothing',
] as const;
export type Stopper = (typeof STOPPERS)[number];

export interface Seen {
  readonly by: Stopper;
  /** What the payload itself says of each step: `ok`, an errno's name, or how a child ended; `a|b` where kernels differ. */
  readonly says: Readonly<Record<string, string>>;
  /** All of Porin's report, as `renderDenial` writes it. Absent: nothing was reported. */
  readonly denials?: readonly string[];
  /** Absent: the program did its honest work afterwards and ended with 0. */
  readonly outcome?: ExecutorOutcome;
  readonly limitHits?: LimitHits;
}

export interface Attack {
  /** A row of payloads/, too. */
  readonly name: string;
  readonly tries: string;
  /** Under the profile that was learned from the honest program. */
  readonly learned: Seen;
  /** Under the profile learned with monitoring `files` from honest work of more kinds of calls: conditions, and Landlock. */
  readonly precise: Seen;
  /** Under an approved profile that names every call there is: what else stands in the way of it. */
  readonly everything: Seen;
  readonly x86Only?: true;
}

export interface Family {
  readonly name: string;
  readonly attacks: readonly Attack[];
}
