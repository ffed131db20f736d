import { describe, expect, it } from 'vitest';
import { parseCpuList, shareCpus } from './cpu-list.js';

describe('parseCpuList', () => {
  it.each([
    ['0-1\n', [0, 1]],
    ['3', [3]],
    ['0-2,5,8-9', [0, 1, 2, 5, 8, 9]],
    ['', []],
  ])('reads %j', (text, cpus) => {
    expect(parseCpuList(text)).toEqual(cpus);
  });
});

describe('shareCpus', () => {
  it('gives the last to the payload and the others to everything else', () => {
    expect(shareCpus([0, 1, 4])).toEqual({ payload: 4, rest: [0, 1] });
  });

  it('shares the only one', () => {
    expect(shareCpus([2])).toEqual({ payload: 2, rest: [2] });
  });
});
