import { describe, expect, it } from 'vitest';
import { outputDirectories, placeOf, SCRATCH_DIRECTORY, type Written } from './output-mounts.js';

const written = (paths: readonly string[], job: Partial<Written> = {}): Written => ({
  outputs: paths.map((path) => ({ path, url: 'file:///a' })),
  volumes: [],
  executors: [],
  ...job,
});

describe('output directories', () => {
  it('are one for outputs side by side', () => {
    expect(outputDirectories(written(['/out/a', '/out/b']))).toEqual([{ target: '/out', name: 'out-0' }]);
  });

  it('are not mounted below one another', () => {
    const directories = outputDirectories(written(['/out/deep/er/a', '/out/b', '/other/c', '/outer/d']));
    expect(directories.map(({ target }) => target)).toEqual(['/other', '/out', '/outer']);
    expect(placeOf('/out/deep/er/a', directories)).toMatchObject({
      directory: { target: '/out' },
      name: 'deep/er/a',
    });
    expect(placeOf('/outer/d', directories)).toMatchObject({ directory: { target: '/outer' }, name: 'd' });
  });

  it('hold volumes and what executors print', () => {
    const executors = [
      { stdout: '/logs/a', stderr: null },
      { stdout: null, stderr: '/vol/b' },
    ];
    const directories = outputDirectories(written(['/vol/out/a'], { volumes: ['/vol'], executors }));
    expect(directories.map(({ target }) => target)).toEqual(['/logs', '/vol']);
  });

  it('are the scratch directory for what lies in it, or below what does', () => {
    expect(outputDirectories(written(['/tmp/a', '/tmp/deep/b']))).toEqual([SCRATCH_DIRECTORY]);
    expect(outputDirectories(written(['/tmp/deep/b']))).toEqual([{ target: '/tmp/deep', name: 'out-0' }]);
  });

  it('hold no other path', () => {
    expect(() => placeOf('/elsewhere/a', outputDirectories(written(['/out/a'])))).toThrow(RangeError);
  });
});
