import { describe, expect, it } from 'vitest';
import { type FileRule } from '../model/files.js';
import { ALWAYS_GRANTED } from './always-granted.js';
import { expandRules, LANDLOCK_RULES_MAXIMUM } from './expand-rules.js';
import { pathProblem } from './paths.js';
import { type Places } from './places.js';
import { lines, useOf } from './recordings.fixture.js';
import { byPath, grants } from './rights.js';

const places: Places = { inputs: ['/in/a', '/in/b'], outputs: ['/out'], temporary: ['/tmp', '/dev/shm'] };
const LITERAL = ALWAYS_GRANTED.filter(({ path }) => path.startsWith('/')).length;

describe('expandRules', () => {
  it('grants every place of the job, and what every program needs, to a profile that grants nothing', () => {
    const rules = expandRules([], places);
    expect(lines(rules)).toEqual(
      expect.arrayContaining([
        '/in/a read',
        '/in/b read',
        '/out read write create',
        '/tmp read write create',
        '/dev/shm read write create',
        '/dev/null read write',
        '/proc/self read',
      ]),
    );
    expect(rules).toHaveLength(5 + LITERAL);
    for (const use of [
      'read /etc/passwd',
      'write /in/a',
      'read /in',
      'execute /tmp/a',
      'read /proc/1/maps',
      'create /dev/x',
    ])
      expect(grants(rules, useOf(use))).toBe(false);
  });

  it('puts each place of a variable where a rule has it', () => {
    const rules = byPath(expandRules([{ path: '{temporary}', rights: ['execute'] }], places));
    expect(rules.get('/tmp')).toEqual(['read', 'write', 'create', 'execute']);
    expect(rules.get('/dev/shm')).toEqual(['read', 'write', 'create', 'execute']);
    expect(rules.get('/out')).toEqual(['read', 'write', 'create']);
  });

  it('unites a rule with a place of the same path, and keeps what may be a symbolic link out of a tree', () => {
    const files: FileRule[] = [
      { path: '/out', rights: ['execute'] },
      { path: '/var', rights: ['read'] },
      { path: '/var/run', rights: ['read'] },
    ];
    const rules = byPath(expandRules(files, places));
    expect(rules.get('/out')).toEqual(['read', 'write', 'create', 'execute']);
    expect(rules.get('/var/run')).toEqual(['read']);
  });

  it('is sorted, with one rule for each path, absolute and normalised', () => {
    const paths = expandRules([{ path: '/usr/lib', rights: ['read'] }], places).map(({ path }) => path);
    expect(paths).toEqual([...new Set(paths)].sort());
    expect(paths.map(pathProblem)).toEqual(paths.map(() => undefined));
  });

  it('refuses more than a ruleset may have, and says why there are so many', () => {
    const inputs = (count: number) => ({ ...places, inputs: Array.from({ length: count }, (_, i) => `/in/${i}`) });
    const room = LANDLOCK_RULES_MAXIMUM - LITERAL - 3;
    expect(expandRules([], inputs(room))).toHaveLength(LANDLOCK_RULES_MAXIMUM);
    expect(() => expandRules([], inputs(room + 1))).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_LANDLOCK_RULES', message: expect.stringContaining('1025') }),
    );
  });

  it.each(['/', 'out', '/out/', '/out/../etc'])('refuses "%s" for a place', (path) => {
    const broken = { ...places, outputs: [path] };
    expect(() => expandRules([], broken)).toThrow(expect.objectContaining({ code: 'BAD_PLACE' }));
  });
});

describe('what is always granted', () => {
  it('can be written in places of the job and devices alone, and is executed nowhere', () => {
    const writable = ALWAYS_GRANTED.filter(({ rights }) => rights.includes('write') || rights.includes('create'));
    expect(writable.map(({ path }) => path)).toEqual(['{outputs}', '{temporary}', '/dev/null', '/dev/zero']);
    expect(ALWAYS_GRANTED.filter(({ rights }) => rights.includes('execute'))).toEqual([]);
  });

  it('has a reason for each', () => {
    expect(ALWAYS_GRANTED.filter(({ reason }) => reason.length < 10)).toEqual([]);
  });
});
