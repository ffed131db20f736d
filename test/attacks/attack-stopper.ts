/** Holds a row's word on what stopped an attack against what was seen of it. */
import { DEFAULT_CEILING, guardOf } from '#lib/profiles';
import { type Stopper } from './attack.js';
import { type AttackRun } from './attack-runs.js';

/** Why the run contradicts that this stopped the attack. */
export function stopperProblem(by: Stopper, { report, says }: AttackRun): string | undefined {
  const calls = report.denials.map(({ call }) => call);
  const { honest: _, ...steps } = says;
  const refused = Object.values(steps).some((word) => /^E[A-Z]/.test(word));
  switch (by) {
    case 'filter':
      return calls.length > 0 ? undefined : 'no call was denied';
    case 'ceiling':
      return calls.some((call) => DEFAULT_CEILING.includes(call)) ? undefined : 'no call of the ceiling was denied';
    case 'guard':
      return calls.some((call) => guardOf(call)) ? undefined : 'no guarded call was denied';
    case 'engine':
    case 'landlock':
      if (calls.length > 0) return `${calls.join(', ')} was reported`;
      return refused ? undefined : 'nothing was refused';
    case 'porin-init':
    case 'container':
      return calls.length > 0 ? `${calls.join(', ')} was reported` : undefined;
    case 'nothing':
      return refused ? 'something was refused' : undefined;
  }
}
