import { describe, expect, it } from 'vitest';
import { planFaults } from './fault-plan.js';
import { ALL_FAULTS, faultsNamed } from './faults/all-faults.js';
import { DEFAULT_FAULTS } from './options.js';

const WITHIN_MS = 600_000;

describe('the plan of the faults', () => {
  const planned = planFaults(ALL_FAULTS, DEFAULT_FAULTS, WITHIN_MS, 7);

  it('is the same for a seed, and another for another one', () => {
    expect(planFaults(ALL_FAULTS, DEFAULT_FAULTS, WITHIN_MS, 7)).toEqual(planned);
    expect(planFaults(ALL_FAULTS, DEFAULT_FAULTS, WITHIN_MS, 8)).not.toEqual(planned);
  });

  it('has every kind, by default', () => {
    expect(new Set(planned.map(({ kind }) => kind)).size).toBe(ALL_FAULTS.length);
    expect(planned).toHaveLength(DEFAULT_FAULTS);
  });

  it('never has two faults on one part at a time', () => {
    for (const part of new Set(planned.map((each) => each.part))) {
      const ofPart = planned.filter((each) => each.part === part).sort((a, b) => a.atMs - b.atMs);
      for (const [index, { atMs, lastsMs }] of ofPart.entries()) {
        expect(ofPart[index + 1]?.atMs ?? Infinity).toBeGreaterThan(atMs + lastsMs);
      }
    }
  });

  it('may be of some faults alone', () => {
    const names = faultsNamed(['redis', 'engine killed']).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['Redis wiped', 'engine killed', 'worker without redis']));
    expect(names).not.toContain('engine frozen');
  });
});
