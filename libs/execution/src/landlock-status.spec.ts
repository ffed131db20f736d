import { describe, expect, it } from 'vitest';
import { isLess, landlockStatusAt } from './landlock-status.js';

describe('what a kernel holds of file rules', () => {
  it.each([
    [null, 'NOT_ENFORCED'],
    [0, 'NOT_ENFORCED'],
    [1, 'PARTIALLY_ENFORCED'],
    [5, 'PARTIALLY_ENFORCED'],
    [6, 'FULLY_ENFORCED'],
    [7, 'FULLY_ENFORCED'],
  ] as const)('with Landlock ABI %s is %s', (abi, status) => {
    expect(landlockStatusAt(abi)).toBe(status);
  });

  it('is compared by how much it is', () => {
    expect(isLess('NOT_ENFORCED', 'PARTIALLY_ENFORCED')).toBe(true);
    expect(isLess('PARTIALLY_ENFORCED', 'FULLY_ENFORCED')).toBe(true);
    expect(isLess('FULLY_ENFORCED', 'FULLY_ENFORCED')).toBe(false);
    expect(isLess('FULLY_ENFORCED', 'NOT_ENFORCED')).toBe(false);
  });
});
