import { describe, expect, it } from 'vitest';
import { type Standing, standingSentence } from './standing.js';

const NOW = new Date('2026-01-01T12:00:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
const STANDING: Standing = {
  recordings: { have: 2, need: 3 },
  distinctInputs: { have: 1, need: 2 },
  ...{ partial: 0, failed: 0, waiting: 0, consideredAt: ago(4) },
};
const sentence = (change: Partial<Standing>) => standingSentence({ ...STANDING, ...change }, NOW);

describe('how learning stands', () => {
  it('says what is there and what is needed', () => {
    expect(sentence({})).toBe('2 of 3 recordings, 1 of 2 inputs; considered 4 s ago');
    expect(sentence({ recordings: { have: 0, need: 1 } })).toContain('0 of 1 recording,');
    expect(sentence({ recordings: { have: 5, need: 3 }, distinctInputs: { have: 1, need: 1 } })).toBe(
      '5 recordings, 1 input; considered 4 s ago',
    );
  });

  it('says what is there and teaches nothing', () => {
    expect(sentence({ partial: 1, failed: 2, waiting: 1, consideredAt: null })).toBe(
      '2 of 3 recordings, 1 of 2 inputs, 1 partial, 2 of failed runs, 1 waiting; not considered yet',
    );
  });

  it.each([
    [-1, '0 s'],
    [119, '119 s'],
    [120, '2 min'],
    [7_199, '119 min'],
    [7_200, '2 h'],
    [172_800, '2 days'],
  ])('says that %i s are %s', (seconds, words) => {
    expect(sentence({ consideredAt: ago(seconds) })).toContain(`considered ${words} ago`);
  });
});
