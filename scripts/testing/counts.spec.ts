import { describe, expect, it } from 'vitest';
import { closingLine, countUnittest, countVitest, failuresIn, sum } from './counts.js';

const file = (status: string, ...tests: string[]) => ({
  name: 'a.spec.ts',
  status,
  message: status === 'failed' && tests.length === 0 ? 'Cannot find module\n  at import' : '',
  assertionResults: tests.map((each, index) => ({
    status: each,
    fullName: `test ${index}`,
    failureMessages: each === 'failed' ? ['expected 1 to be 2\n  at line 3'] : [],
  })),
});

describe('the closing line', () => {
  it('adds the runners up', () => {
    const total = sum([
      { passed: 3, failed: 1, skipped: 0 },
      { passed: 2, failed: 0, skipped: 4 },
    ]);
    expect(closingLine(total)).toBe('5 passed, 1 failed, 4 skipped');
  });
});

describe("Vitest's report", () => {
  it('is counted by test; what is neither passed nor failed is skipped', () => {
    const report = {
      success: false,
      testResults: [file('passed', 'passed', 'pending', 'todo'), file('failed', 'failed', 'passed')],
    };
    expect(countVitest(report)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it('has a failure where a file could not be loaded', () => {
    expect(countVitest({ success: false, testResults: [file('failed')] })).toEqual({
      passed: 0,
      failed: 1,
      skipped: 0,
    });
  });

  it('has a failure where an error belongs to no test', () => {
    expect(countVitest({ success: false, testResults: [file('passed', 'passed')] }).failed).toBe(1);
  });
});

describe('the failures before the closing line', () => {
  it('are one line each, with file, test and reason', () => {
    const report = {
      success: false,
      testResults: [file('failed', 'passed', 'failed'), file('failed'), file('passed')],
    };
    expect(failuresIn(report)).toEqual([
      'failed: a.spec.ts: test 1: expected 1 to be 2',
      'failed: a.spec.ts: outside its tests: Cannot find module',
    ]);
  });
});

describe("unittest's output", () => {
  it.each([
    ['Ran 5 tests in 0.1s\n\nOK\n', { passed: 5, failed: 0, skipped: 0 }],
    ['Ran 5 tests in 0.1s\n\nOK (skipped=2)\n', { passed: 3, failed: 0, skipped: 2 }],
    ['Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=1)\n', { passed: 1, failed: 3, skipped: 1 }],
    ['Traceback (most recent call last):\n', { passed: 0, failed: 1, skipped: 0 }],
  ])('%j', (output, counts) => {
    expect(countUnittest(output)).toEqual(counts);
  });
});
