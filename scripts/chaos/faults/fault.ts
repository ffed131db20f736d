/** What a fault is: how it begins on a part of the grid, and how it ends. */
import { type FaultKind } from '../fault-plan.js';
import { type Grid } from '../grid.js';

/** Takes the cause away. What the grid makes of that, it does by itself. */
export type Heal = () => Promise<void> | void;

export interface Fault extends FaultKind {
  /** Rejects where it cannot strike now, as when what it would kill does not run. */
  readonly strike: (grid: Grid, part: string) => Promise<Heal> | Heal;
}

export const nothingToHeal: Heal = () => undefined;
