import { describe, expect, it } from 'vitest';
import { uuidV7 } from './uuid-v7.js';

describe('an id of version 7', () => {
  it('begins with its time, and says its version and its variant', () => {
    expect(uuidV7(0x017f22e279b0)).toMatch(/^017f22e2-79b0-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is another one each time, and later ones are greater', () => {
    const ids = Array.from({ length: 1000 }, (_id, ms) => uuidV7(1_700_000_000_000 + ms));
    expect(new Set(ids).size).toBe(1000);
    expect(ids.toSorted()).toEqual(ids);
    expect(uuidV7()).not.toBe(uuidV7());
  });
});
