import { describe, expect, it } from 'vitest';
import { missingPackages, REQUIREMENTS } from './system-packages.js';

describe('system packages', () => {
  it('asks for nothing where everything is there', () => {
    expect(missingPackages(() => true)).toEqual([]);
  });

  it('names exactly the packages whose file is absent', () => {
    expect(missingPackages((provides) => provides !== 'dockerd' && provides !== 'strace')).toEqual([
      'docker.io',
      'strace',
    ]);
  });

  it('names each package once', () => {
    expect(new Set(REQUIREMENTS.map((requirement) => requirement.package)).size).toBe(REQUIREMENTS.length);
  });
});
