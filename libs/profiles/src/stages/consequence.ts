/** What the denials of a run lead to: nothing, a job that waits for a decision, or one that has failed. */
import { type CallClass } from '../kernel/families.js';
import { type OnDenial } from './stage.js';

export interface ClassedDenial {
  /** Null for a number that no kernel of our table has: a probe that any kernel may answer so. */
  readonly class: CallClass | null;
  readonly action: 'refused' | 'continued' | 'killed';
}

export type Consequence = 'none' | 'hold' | 'denied';

/**
 * A dangerous call that was refused is denied whatever the application says. `onDenial`: null in an audit, where nothing else
 * is refused but what is refused to every program.
 */
export function consequenceOf(denials: readonly ClassedDenial[], onDenial: OnDenial | null): Consequence {
  const refused = denials.filter(({ class: of, action }) => of !== null && action !== 'continued');
  if (refused.some(({ class: of }) => of === 'dangerous')) return 'denied';
  if (refused.length === 0 || onDenial === null || onDenial === 'report') return 'none';
  return onDenial === 'hold' ? 'hold' : 'denied';
}
