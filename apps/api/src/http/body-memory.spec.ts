import { type PorinError } from '../errors/porin-error.js';
import { describe, expect, it } from 'vitest';
import { BodyMemory } from './body-memory.js';

const LARGEST = 1024 ** 2;
const codeOf = (act: () => void) => {
  try {
    act();
  } catch (error) {
    const { code, headers } = error as PorinError;
    return [code, headers['Retry-After']];
  }
  return [];
};

describe('the memory for bodies', () => {
  it('holds eight of the largest for a key, and what others send beside', () => {
    const memory = new BodyMemory(LARGEST);
    const shares = Array.from({ length: 8 }, () => memory.open('a'));
    for (const share of shares) share.grow(LARGEST);
    expect(codeOf(() => memory.open('a').grow(1))).toEqual(['too-many-requests', '2']);
    memory.open('b').grow(LARGEST);
    shares[0]?.release();
    memory.open('a').grow(LARGEST);
  });

  it('holds 32 of the largest altogether', () => {
    const memory = new BodyMemory(LARGEST);
    const shares = Array.from({ length: 32 }, (_, index) => memory.open(`key ${index}`));
    for (const share of shares) share.grow(LARGEST);
    expect(codeOf(() => memory.open('another').grow(1))).toEqual(['overloaded', '2']);
    for (const share of [...shares, ...shares]) share.release();
    expect(memory.heldBytes).toBe(0);
  });

  it('has room for what a route has no use for, however small bodies are', () => {
    new BodyMemory(1024).open('a').grow(64 * 1024);
  });
});
