import { describe, expect, it } from 'vitest';
import { type Check, meetChecks, SetupError } from './check.js';

function check(name: string, there: boolean, works = true): Check & { installs: number } {
  const made = {
    name,
    installs: 0,
    have: () => there,
    install: () => {
      made.installs++;
      there ||= works;
    },
  };
  return made;
}

describe('the set-up of the machine', () => {
  it('installs only what is missing', () => {
    const [present, absent] = [check('present', true), check('absent', false)];
    meetChecks([present, absent], () => undefined);
    expect([present.installs, absent.installs]).toEqual([0, 1]);
  });

  it('does nothing the second time', () => {
    const absent = check('absent', false);
    meetChecks([absent], () => undefined);
    meetChecks([absent], () => undefined);
    expect(absent.installs).toBe(1);
  });

  it('stops at a check that its installation did not meet, and names it', () => {
    const later = check('later', false);
    expect(() => meetChecks([check('broken', false, false), later], () => undefined)).toThrow(SetupError);
    expect(() => meetChecks([check('broken', false, false)], () => undefined)).toThrow('broken');
    expect(later.installs).toBe(0);
  });
});
