import { type PresentImage } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { imagesBeyond } from './images-beyond.js';

const image = (imageId: string, ...repositoryDigests: string[]): PresentImage => ({
  imageId,
  repositoryDigests,
  tags: [],
  bytes: 1,
});
const [a, b, c] = [image('a', 'r/a@1'), image('b', 'r/b@1', 's/b@1'), image('c', 'r/c@1')];

describe('imagesBeyond', () => {
  it('keeps the last used', () => {
    expect(imagesBeyond([a, b, c], ['r/c@1', 'r/a@1', 'r/b@1'], 1)).toEqual([a, b]);
    expect(imagesBeyond([a, b, c], ['r/c@1', 'r/a@1', 'r/b@1'], 3)).toEqual([]);
  });

  it('counts an image once that came from several repositories, by its last use', () => {
    expect(imagesBeyond([a, b, c], ['s/b@1', 'r/a@1', 'r/b@1', 'r/c@1'], 2)).toEqual([c]);
  });

  it('leaves alone what no attempt of this node has used, and what is not here', () => {
    expect(imagesBeyond([a, c], ['gone@1', 'r/a@1'], 1)).toEqual([]);
  });
});
