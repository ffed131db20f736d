import { describe, expect, it } from 'vitest';
import { missingPackages, refuseUnlessInstallable, REQUIREMENTS } from './system-packages.js';

describe('system packages', () => {
  it('asks for nothing where everything is there', () => {
    expect(missingPackages('test', () => true)).toEqual([]);
  });

  it('names exactly the packages whose file is absent', () => {
    expect(missingPackages('start', (provides) => provides !== 'dockerd' && provides !== 'strace')).toEqual([
      'docker.io',
      'strace',
    ]);
  });

  it.each([
    ['golang-go', 'go'],
    ['python3-venv', 'python3:ensurepip'],
  ])('asks for %s where the tests are run, and nowhere else', (name, provided) => {
    const has = (provides: string) => provides !== provided;
    expect(missingPackages('test', has)).toEqual([name]);
    expect(missingPackages('start', has)).toEqual([]);
  });

  it('names each package once', () => {
    expect(new Set(REQUIREMENTS.map((requirement) => requirement.package)).size).toBe(REQUIREMENTS.length);
  });

  it('tells who is not root the one line to type', () => {
    expect(() => refuseUnlessInstallable(['strace', 'make'], false, true)).toThrow(
      'apt-get install -y --no-install-recommends strace make',
    );
  });

  it('tells who has no apt what to install', () => {
    expect(() => refuseUnlessInstallable(['strace', 'make'], true, false)).toThrow('strace make');
  });

  it('goes on as root with apt', () => {
    expect(() => refuseUnlessInstallable(['strace'], true, true)).not.toThrow();
  });
});
