import { generateKeyPairSync } from 'node:crypto';
import { approvalKeys } from '#lib/profiles';
import pino from 'pino';
import { type DataSource } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Candidate, type Rule } from './rule.js';
import { RuleDecisions } from './rule-decisions.js';

const dataSource = {
  manager: {},
  transaction: (work: (manager: object) => unknown) => work({}),
} as unknown as DataSource;
const { privateKey } = generateKeyPairSync('ed25519');
const decisionsOf = (rules: Record<string, Rule>, logger = pino({ enabled: false })) =>
  new RuleDecisions(dataSource, approvalKeys(privateKey), logger, 1_000, rules);
/** A rule that finds these, and remembers what it was asked about. */
function rule(candidates: () => readonly Candidate[], decide: (id: string) => unknown = () => undefined) {
  const asked: string[] = [];
  const made: Rule = {
    candidates: () => Promise.resolve(candidates()),
    decide: (_manager, _key, id) => {
      asked.push(id);
      return Promise.resolve().then(() => decide(id));
    },
  };
  return { made, asked };
}

afterEach(() => vi.useRealTimers());

describe('what a rule may decide about', () => {
  it('is looked at once while the facts are the same, and always where it has none', async () => {
    let facts = 'one run';
    const { made, asked } = rule(() => [{ id: 'version', facts }, { id: 'build' }]);
    const decisions = decisionsOf({ promotion: made });
    await decisions.decide();
    await decisions.decide();
    expect(asked).toEqual(['version', 'build', 'build']);
    facts = 'two runs';
    await decisions.decide();
    expect(asked.slice(3)).toEqual(['version', 'build']);
  });

  it('is looked at again after it could not be, and holds up nothing else', async () => {
    const { made, asked } = rule(
      () => [
        { id: 'broken', facts: 'same' },
        { id: 'whole', facts: 'same' },
      ],
      (id) => {
        if (id === 'broken') throw new Error('no');
      },
    );
    const lost = rule(() => {
      throw new Error('no connection');
    });
    const decisions = decisionsOf({ inheritance: lost.made, promotion: made });
    await decisions.decide();
    await decisions.decide();
    expect(asked).toEqual(['broken', 'whole', 'broken']);
  });

  it('is an error in the log where nothing verifies to decide by', async () => {
    const logger = pino({ enabled: false });
    const error = vi.spyOn(logger, 'error');
    const { made } = rule(
      () => [{ id: 'build' }],
      () => 'unverified',
    );
    await decisionsOf({ inheritance: made }, logger).decide();
    expect(error).toHaveBeenCalledWith({ rule: 'inheritance', id: 'build' }, expect.stringContaining('verifies'));
  });

  it('waits while another is decided about, and ends with the dispatcher', async () => {
    vi.useFakeTimers();
    const { made, asked } = rule(
      () => [{ id: 'slow' }],
      () => new Promise((resolve) => setTimeout(resolve, 2_000)),
    );
    const decisions = decisionsOf({ promotion: made });
    decisions.start();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(asked).toEqual(['slow']);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toEqual(['slow', 'slow']);
    const stopped = decisions.stop();
    await vi.advanceTimersByTimeAsync(2_000);
    await stopped;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual(['slow', 'slow']);
  });
});
