import { describe, expect, it } from 'vitest';
import { type CorpusCase } from './corpus.js';
import { inLearningOrder } from './learn-from.js';

function casesOf(...kinds: CorpusCase['kind'][]): CorpusCase[] {
  return kinds.map((kind, index) => ({
    id: `l0${index}`,
    kind,
    command: [],
    inputs: [],
    outputs: [],
    exit: 0,
    resources: {},
  }));
}
const spread = (...kinds: CorpusCase['kind'][]) => inLearningOrder(casesOf(...kinds), 'spread').map(({ id }) => id);

describe('the order of learning', () => {
  it('begins with the first case of each kind: data, threads, option', () => {
    expect(spread('data', 'data', 'option', 'data', 'threads')).toEqual(['l00', 'l04', 'l02', 'l01', 'l03']);
  });

  it('takes more data where a kind is missing', () => {
    expect(spread('data', 'data', 'option', 'data')).toEqual(['l00', 'l02', 'l01', 'l03']);
    expect(spread('data', 'data', 'data', 'data')).toEqual(['l00', 'l01', 'l02', 'l03']);
  });

  it('is the order of the file when it is to be that of the first', () => {
    const cases = casesOf('data', 'data', 'option', 'threads');
    expect(inLearningOrder(cases, 'first')).toEqual(cases);
  });
});
