import { describe, expect, it } from 'vitest';
import { outputDirectories, placeOf } from './output-mounts.js';

describe('the writable directories of an attempt', () => {
  it('are one for all outputs beside each other', () => {
    expect(outputDirectories(['/out/a', '/out/b'])).toEqual([{ target: '/out', name: 'out-0' }]);
  });

  it('are never one below another', () => {
    const directories = outputDirectories(['/out/deep/er/a', '/out/b', '/other/c', '/outer/d']);
    expect(directories.map(({ target }) => target)).toEqual(['/other', '/out', '/outer']);
    expect(placeOf('/out/deep/er/a', directories)).toMatchObject({
      directory: { target: '/out' },
      name: 'deep/er/a',
    });
    expect(placeOf('/outer/d', directories)).toMatchObject({ directory: { target: '/outer' }, name: 'd' });
  });

  it('hold nothing that is beside them', () => {
    expect(() => placeOf('/elsewhere/a', outputDirectories(['/out/a']))).toThrow(RangeError);
  });
});
