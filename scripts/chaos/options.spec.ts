import { describe, expect, it } from 'vitest';
import { DEFAULT_FAULTS, ENOUGH_JOBS, parseCommandLine } from './options.js';
import { UsageError } from '../setup/option-values.js';

describe('the command line of chaos', () => {
  it('proves something by default', () => {
    expect(parseCommandLine([])).toMatchObject({ minutes: 30, jobs: ENOUGH_JOBS, faults: DEFAULT_FAULTS, only: [] });
  });

  it('takes numbers and names', () => {
    const args = ['--minutes', '10', '--jobs=100', '--faults', '6', '--only', 'redis,engine killed', '--seed', '7'];
    expect(parseCommandLine(args)).toEqual({
      ...{ kind: 'chaos', minutes: 10, jobs: 100, faults: 6, seed: 7 },
      only: ['redis', 'engine killed'],
    });
  });

  it.each([[['--minutes', '31']], [['--jobs', 'many']], [['--seed', '-1']], [['unknown']], [['--unknown']]])(
    'refuses %j',
    (args) => expect(() => parseCommandLine(args)).toThrow(UsageError),
  );
});
