import { describe, expect, it } from 'vitest';
import { runPlaces } from './run-places.js';

describe('the places of a run', () => {
  it('are its inputs, the directories of its outputs, and all scratch', () => {
    const claim = {
      inputs: [
        { path: '/in/a.edf', url: 'file:///a' },
        { path: '/in/settings', content: '' },
      ],
      outputs: [
        { path: '/out/a', url: 'file:///a' },
        { path: '/out/deep/b', url: 'file:///b' },
        { path: '/tmp/c', url: 'file:///c' },
      ],
      volumes: ['/vol'],
      executors: [{ stdout: '/logs/a', stderr: null }],
    };
    expect(runPlaces(claim, ['/data/', '/var/cache'])).toEqual({
      inputs: ['/in/a.edf', '/in/settings'],
      outputs: ['/logs', '/out', '/vol'],
      temporary: ['/tmp', '/dev/shm', '/data', '/var/cache'],
    });
  });
});
