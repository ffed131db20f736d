import { describe, expect, it } from 'vitest';
import { basedOn, equal, recordingOf, rule } from '../learn/recordings.fixture.js';
import { type FileUse } from '../model/recording.js';
import { attackSurface } from './attack-surface.js';
import { loaderWarnings, type ReviewedRun } from './loader-warnings.js';
import { reviewCalls, reviewFamilies } from './review-calls.js';
import { wouldRefuse } from './would-refuse.js';

const previous = basedOn(rule('read'), rule('kill'), rule('socket', equal(0, '0x1')), rule('unlink'));
const profile = basedOn(
  ...[rule('read'), rule('ptrace'), rule('openat'), rule('unlink')],
  ...[rule('socket', equal(0, '0x1')), rule('socket', equal(0, '0x2'))],
);

describe('the review of calls', () => {
  const calls = reviewCalls(profile, previous, { ptrace: { origin: 'seen', run: 'r1' }, kill: { origin: 'seen' } });

  it('has the dangerous ones first, each with what it allows and how it changed', () => {
    expect(calls.map(({ name, class: of, change }) => `${of} ${change} ${name}`)).toEqual([
      'dangerous added ptrace',
      'authority removed kill',
      'authority kept socket',
      'harmless added openat',
      'harmless kept unlink',
      'basic kept read',
    ]);
    expect(calls[0]).toEqual({
      name: 'ptrace',
      class: 'dangerous',
      family: 'other-processes',
      change: 'added',
      origin: { origin: 'seen', run: 'r1' },
      allows: 'takes control of other processes of the payload',
      conditions: ['any arguments'],
      admits: [],
      refuses: [],
    });
    expect(calls[1]).toMatchObject({ origin: null, conditions: ['any arguments'] });
    expect(calls[2]).toMatchObject({
      conditions: ['argument 0 is AF_UNIX', 'argument 0 is AF_INET'],
      admits: ['argument 0 is AF_INET'],
      refuses: [],
    });
  });

  it('has, of a first version, everything added', () => {
    expect(new Set(reviewCalls(profile, null, {}).map(({ change }) => change))).toEqual(new Set(['added']));
  });

  it('sums them up by family, the one with the most dangerous call first', () => {
    const families = reviewFamilies(calls);
    expect(families.map(({ family, class: of }) => `${of} ${family}`)).toEqual([
      'dangerous other-processes',
      'authority signals',
      'authority sockets',
      'harmless files',
      'harmless file-changes',
      'basic descriptors',
    ]);
    expect(families[1]).toEqual({ family: 'signals', class: 'authority', added: [], removed: ['kill'], kept: [] });
  });
});

describe('what a version would have refused', () => {
  it('is told of runs and calls, the dangerous first', () => {
    const recordings = [
      recordingOf([], ['read', 'mkdir', 'ptrace']),
      recordingOf([], ['read', 'mkdir']),
      recordingOf([], ['read']),
    ];
    expect(wouldRefuse(recordings, basedOn(rule('read')))).toEqual({
      ...{ runs: 2, of: 3 },
      calls: [
        { call: 'ptrace', class: 'dangerous', runs: 1 },
        { call: 'mkdir', class: 'harmless', runs: 2 },
      ],
    });
    expect(wouldRefuse([], profile)).toEqual({ runs: 0, of: 0, calls: [] });
  });

  it('includes files', () => {
    const files: FileUse[] = [{ path: '/etc/shadow', access: 'read', result: 'ok', resolved: true, count: 1 }];
    const held = { ...basedOn(rule('read')), files: [] };
    expect(wouldRefuse([{ ...recordingOf([], ['read']), files }], held).calls).toEqual([
      { call: 'file', class: 'authority', runs: 1 },
    ]);
  });
});

describe('the attack surface', () => {
  it('is counted in calls and in known vulnerabilities', () => {
    const { calls, ofAll, engineDefault, ...closed } = attackSurface(basedOn(rule('read'), rule('waitid')));
    expect(calls).toBe(2);
    expect(ofAll).toBeGreaterThan(engineDefault);
    expect(closed).toEqual({ closedVulnerabilities: 27, closedWithConditions: 27, of: 29 });
  });
});

describe('code that is not the image’s', () => {
  const run = (changes: Partial<ReviewedRun>): ReviewedRun => ({
    ...{ runId: 'r', jobId: 'j', environment: {}, inputPaths: [] },
    ...changes,
  });
  const subjects = (...runs: Partial<ReviewedRun>[]) => loaderWarnings(runs.map(run)).map(({ subject }) => subject);

  it('is warned of where the environment loads it', () => {
    const environment = { LD_PRELOAD: '/in/x.so\u3164', GCONV_PATH: '/in', PYTHONPATH: '/in', HOME: '/tmp', LANG: 'C' };
    expect(loaderWarnings([run({ environment })])[0]).toEqual({
      kind: 'environment',
      subject: 'LD_PRELOAD=/in/x.so\\u{3164}',
      reason: 'tells the dynamic linker which code to load, or how',
      ...{ runs: 1, runId: 'r', jobId: 'j' },
    });
    expect(subjects({ environment })).toEqual([
      ...['LD_PRELOAD=/in/x.so\\u{3164}', 'GCONV_PATH=/in', 'PYTHONPATH=/in'],
    ]);
    const [long] = subjects({ environment: { LD_AUDIT: '😀'.repeat(1000) } });
    expect(long).toMatch(/^LD_AUDIT=(?:😀)+\.\.\.$/u);
  });

  it.each([
    ['/etc/ld.so.preload', /loads into every program/],
    ['/etc', /loads into every program/],
    ['/etc/ld.so.conf.d/x.conf', /where code is/],
    ['/etc/ld-musl-x86_64.path', /where code is/],
    ['/usr/lib/x86_64-linux-gnu/libm.so.6', /look for their code/],
    ['/usr', /look for their code/],
    ['/usr/local/bin/tool', /programs of the image/],
    ['/in/plugin.so.1', /like a library/],
    ['/in/script.py', /like code/],
  ])('is warned of where an input is mounted at %s', (path, reason) => {
    expect(loaderWarnings([run({ inputPaths: [path] })])).toEqual([
      expect.objectContaining({ kind: 'input', subject: path, reason: expect.stringMatching(reason) }),
    ]);
  });

  it('is no matter of data', () => {
    expect(subjects({ inputPaths: ['/in/night.edf', '/data/so', '/etc/tool.conf', '/library/a'] })).toEqual([]);
  });

  it('is warned of where it was executed, and counted by runs', () => {
    const use = (path: string, changes: Partial<FileUse> = {}): FileUse => ({
      ...{ path, access: 'execute', result: 'ok', resolved: true, count: 1 },
      ...changes,
    });
    const files = [
      ...[use('/usr/bin/tool'), use('{inputs}/x'), use('{inputs}/x', { resolved: false }), use('memfd:x')],
      ...[use('{outputs}', { access: 'read' }), use('{temporary}/y', { result: 'EACCES' })],
    ];
    const warnings = loaderWarnings([
      run({ files: [use('{temporary}/y')] }),
      run({ files, jobId: 'k' }),
      run({ files }),
    ]);
    expect(warnings.map(({ subject, runs, jobId }) => `${subject} ${runs} ${jobId}`)).toEqual([
      '{inputs}/x 2 k',
      'memfd:x 2 k',
      '{temporary}/y 1 j',
    ]);
  });
});
