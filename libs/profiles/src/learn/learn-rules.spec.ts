import { describe, expect, it } from 'vitest';
import { compileFilter } from '../filter/compile.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { interpret } from '../filter/interpret.js';
import { syscallNumber } from '../kernel/syscalls.js';
import { canonicalProfile, parseProfile } from '../model/parse-profile.js';
import { type ArgumentUse } from '../model/recording.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { MAX_DISTINCT_USES } from './generalise-uses.js';
import { mergeRecordings } from './merge.js';
import { basedOn, equal, learn, learned, recordingOf, rule, runOf, type Uses, words } from './recordings.fixture.js';

describe('conditions learned from recordings', () => {
  it('hold a call to the values that were seen, of all recordings', () => {
    const profile = learn([recordingOf([['personality', 0]]), recordingOf([['personality', 8], ['getpid']])]);
    expect(words(profile, 'personality')).toEqual(['0=0x0', '0=0x8']);
    expect(words(profile, 'getpid')).toEqual(['any']);
    expect(parseProfile(canonicalProfile(profile))).toEqual(profile);
  });

  it('admit the group that a benign use belongs to, and no other', () => {
    expect(learned(['fcntl', 3])).toEqual(['1=0x0', '1=0x1', '1=0x2', '1=0x3', '1=0x4', '1=0x406']);
    expect(learned(['fcntl', 8])).toEqual(['1=0x8']);
    expect(learned(['ioctl', 0x5401])).toContain('1=0x5413');
    expect(learned(['ioctl', 0x5412])).toEqual(['1=0x5412']);
    expect(learned(['madvise', 4])).toContain('2=0x8');
    expect(learned(['madvise', 4])).not.toContain('2=0x64');
    expect(learned(['setsockopt', 1, 2])).toContain('1=0x1 2=0x9');
    expect(learned(['setsockopt', 1, 26])).toEqual(['1=0x1 2=0x1a']);
  });

  it('tell sockets apart by family and type, and threads from processes', () => {
    expect(learned(['socket', 1, 1, 0])).toEqual([
      '0=0x1 1&0xfff7f7ff=0x1 2=0x0',
      '0=0x1 1&0xfff7f7ff=0x2 2=0x0',
      '0=0x1 1&0xfff7f7ff=0x5 2=0x0',
    ]);
    expect(learned(['socket', 2, 1, 0])).toEqual(['0=0x2 1&0xfff7f7ff=0x1 2=0x0', '0=0x2 1&0xfff7f7ff=0x1 2=0x6']);
    expect(learned(['socket', 16, 3, 0])).toEqual(['0=0x10 1&0xfff7f7ff=0x3 2=0x0']);
    expect(learned(['clone', 0x3d0f00])).toEqual(['0&0xffffff00=0x3d0f00', '0&0xffffff00=0x7d0f00']);
    expect(learned(['clone', 0x1200000])).toContain('0&0xffffff00=0x4100');
  });

  it('never let memory be written and executed at once, nor executed where it was not', () => {
    for (const name of ['mmap', 'mprotect', 'pkey_mprotect']) {
      expect(learned([name, 3, 0x22], [name, 1, 2])).toEqual(['2&0x4=0x0']);
      expect(learned([name, 3, 0x22], [name, 5, 2])).toEqual(['2&0x2=0x0', '2&0x4=0x0']);
      expect(learned([name, 5, 2], [name, 7, 0x22])).toEqual(['any']);
    }
  });

  it('are none where no closed set was seen', () => {
    const requests = Array.from({ length: MAX_DISTINCT_USES + 1 }, (_, index): [string, number] => [
      'ioctl',
      0x7000 + index,
    ]);
    expect(learned(...requests.slice(1))).toHaveLength(MAX_DISTINCT_USES);
    expect(learned(...requests)).toEqual(['any']);
  });

  it('are none for calls whose values are all harmless, or differ from run to run', () => {
    expect(learned(['lseek', 0])).toEqual(['any']);
    expect(learned(['clock_gettime', 0xfffffff6])).toEqual(['any']);
  });

  it('are learned from recordings that hold arguments alone, when those are enough', () => {
    const aware = [
      recordingOf([['fcntl', 8]]),
      recordingOf([
        ['fcntl', 10],
        ['prctl', 4],
      ]),
    ];
    const namesOnly = recordingOf([], ['fcntl', 'ioctl', 'read']);
    const enough = learn([...aware, namesOnly], { needed: 2 });
    expect(words(enough, 'fcntl')).toEqual(['1=0x8', '1=0xa']);
    expect(words(enough, 'prctl')).toEqual(['0=0x4']);
    expect(['ioctl', 'read'].map((name) => words(enough, name))).toEqual([['any'], ['any']]);
    const tooFew = learn([...aware, namesOnly], { needed: 3 });
    expect(tooFew.rules).toEqual([{ names: ['fcntl', 'ioctl', 'prctl', 'read'], action: 'SCMP_ACT_ALLOW' }]);
  });

  it('are learned from different inputs only', () => {
    const run = runOf(recordingOf([['fcntl', 8]]));
    const other = runOf(recordingOf([], ['fcntl']));
    const result = mergeRecordings([run, run, other], { needed: 2, distinctInputs: 2 });
    expect(result.kind === 'profile' && words(result.profile, 'fcntl')).toEqual(['any']);
  });

  it('count no use that a filter refused, and trust no recording that lacks the uses of a call', () => {
    const refused: ArgumentUse = { call: 'fcntl', values: { 1: '0xa' }, count: 0, failures: { ENOSYS: 2 } };
    const seen = recordingOf([['fcntl', 8]]);
    const both = { ...seen, arguments: [...(seen.arguments ?? []), refused] };
    expect(words(learn([both]), 'fcntl')).toEqual(['1=0x8']);
    expect(words(learn([seen, { ...seen, arguments: [] }]), 'fcntl')).toEqual(['any']);
    expect(words(learn([{ ...seen, arguments: [{ ...refused, count: 1, values: {} }] }]), 'fcntl')).toEqual(['any']);
  });

  it('learn a use that failed in the kernel: the next input makes the same call', () => {
    const failed: ArgumentUse = { call: 'fcntl', values: { 1: '0xa' }, count: 2, failures: { EINVAL: 2 } };
    const recording = { ...recordingOf([['fcntl', 10]]), arguments: [failed] };
    expect(words(learn([recording]), 'fcntl')).toEqual(['1=0xa']);
  });
});

describe('conditions of the version that recordings are added to', () => {
  it('are widened by what was seen, and keep what was not', () => {
    const before = basedOn(rule('fcntl', equal(1, '0x400')), rule('ioctl', equal(1, '0x5412')), rule('read'));
    const profile = learn(
      [
        recordingOf([
          ['fcntl', 8],
          ['prctl', 4],
        ]),
      ],
      { basedOn: before },
    );
    expect(words(profile, 'fcntl')).toEqual(['1=0x8', '1=0x400']);
    expect(words(profile, 'ioctl')).toEqual(['1=0x5412']);
    expect(words(profile, 'prctl')).toEqual(['0=0x4']);
    expect(words(profile, 'read')).toEqual(['any']);
  });

  it('are given up where the uses are no closed set any more', () => {
    const before = basedOn(rule('mprotect', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x4', value: '0x0' }));
    const executable = learn([recordingOf([['mprotect', 5]])], { basedOn: before });
    expect(words(executable, 'mprotect')).toEqual(['2&0x2=0x0', '2&0x4=0x0']);
    expect(words(learn([recordingOf([['mprotect', 7]])], { basedOn: executable }), 'mprotect')).toEqual(['any']);
  });

  it('stay as they are when they hold all that was seen, also in another form', () => {
    const before = basedOn(
      rule('fcntl', { argument: 1, op: 'SCMP_CMP_LE', value: '0x9' }),
      rule('socket', equal(0, '0x1')),
      rule('clone', { argument: 0, op: 'SCMP_CMP_MASKED_EQ', mask: '0x10000', value: '0x10000' }),
    );
    const recording = recordingOf([
      ['fcntl', 8],
      ['socket', 1, 1, 0],
      ['clone', 0x3d0f00],
    ]);
    expect(learn([recording], { basedOn: before })).toEqual(parseProfile(canonicalProfile(before)));
  });

  it('are not taken to hold a use whose bits were not all recorded', () => {
    const before = basedOn(rule('socket', equal(1, '0x1')));
    expect(words(learn([recordingOf([['socket', 1, 1, 0]])], { basedOn: before }), 'socket')).toContain(
      '0=0x1 1&0xfff7f7ff=0x1 2=0x0',
    );
  });

  it('are never narrowed, nor those put on that the version gave up', () => {
    const before = basedOn(rule('fcntl'), rule('ioctl', equal(1, '0x5412')));
    const profile = learn([recordingOf([['fcntl', 8]]), recordingOf([['ioctl', 0x5412]])], { basedOn: before });
    expect(words(profile, 'fcntl')).toEqual(['any']);
  });

  it('come with the first version that has any, after one of names only', () => {
    const before = basedOn({ names: ['fcntl', 'ioctl', 'read'], action: 'SCMP_ACT_ALLOW' });
    const profile = learn([recordingOf([['fcntl', 8]])], { basedOn: before });
    expect(words(profile, 'fcntl')).toEqual(['1=0x8']);
    expect([words(profile, 'ioctl'), words(profile, 'read')]).toEqual([['any'], ['any']]);
  });

  it('are untouched by recordings of names', () => {
    const before = basedOn(rule('fcntl', equal(1, '0x8')));
    const profile = learn([recordingOf([], ['fcntl', 'ioctl'])], { basedOn: before });
    expect([words(profile, 'fcntl'), words(profile, 'ioctl')]).toEqual([['1=0x8'], ['any']]);
  });

  it('give the same digest when the same is learned again', () => {
    const recordings = [
      recordingOf([
        ['fcntl', 3],
        ['mmap', 5, 2],
        ['socket', 1, 1, 0],
        ['setsockopt', 1, 26],
      ]),
    ];
    const first = learn(recordings);
    expect(canonicalProfile(learn(recordings, { basedOn: first }))).toBe(canonicalProfile(first));
  });
});

describe('a profile learned from arguments', () => {
  it('lets its program make every use that it was learned from, flags and signals that were left out included', () => {
    const uses: Uses = Object.entries(AWARE_ARGUMENTS).flatMap(([call, aware]) =>
      [1, 3].map((value): [string, ...number[]] => [
        call,
        ...aware.map(({ mask }) => value & Number(BigInt(mask) & 0xffn)),
      ]),
    );
    const profile = learn([recordingOf(uses)]);
    const engineDefault = engineDefaultNames('x86_64');
    const { filter } = compileFilter({
      ...{ enforcement: 'enforce', architecture: 'x86_64', rules: profile.rules, engineDefault, ceiling: [] },
    });
    for (const [call, ...values] of uses.filter(([call]) => engineDefault.includes(call))) {
      const aware = AWARE_ARGUMENTS[call] ?? [];
      const args = [3n, 0n, 0n, 0n, 0n, 0n];
      aware.forEach(({ argument, mask }, index) => {
        args[argument] = BigInt(values[index] ?? 0) | (~BigInt(mask) & 0xffffffffn);
      });
      const nr = syscallNumber('x86_64', call) ?? -1;
      const outcome = interpret(filter, { nr, arch: 0xc000003e, instructionPointer: 0n, args });
      // The supervisor's guards refuse personality 1 and 3 and the scope of others.
      if (['personality', 'setpriority', 'ioprio_set'].includes(call)) continue;
      expect([call, args, outcome]).toEqual([call, args, 0x7fff0000]);
    }
  });
});
