import { describe, expect, it } from 'vitest';
import { compileFilter } from '../filter/compile.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { interpret } from '../filter/interpret.js';
import { syscallNumber } from '../kernel/syscalls.js';
import { BASIC_CALLS, callClass } from '../kernel/families.js';
import { byName, refusalsByName } from '../model/argument-rules.js';
import { allowedNames, canonicalProfile, parseProfile } from '../model/parse-profile.js';
import { type ArgumentUse, type Recording } from '../model/recording.js';
import { AWARE_ARGUMENTS } from './aware-arguments.js';
import { MAX_DISTINCT_USES } from './generalise-uses.js';
import { mergeRecordings } from './merge.js';
import {
  basedOn,
  equal,
  fixedWords,
  learn,
  learned,
  recordingOf,
  rule,
  runOf,
  type Uses,
  words,
} from './recordings.fixture.js';

const LAST_PI = ['0x8', '0xb', '0xc', '0xd'].map((value) => `1&0xfffffe7f=${value}`);

describe('conditions learned from recordings', () => {
  it('hold a call to the values that were seen, of all recordings', () => {
    const profile = learn([recordingOf([['personality', 0]]), recordingOf([['personality', 8], ['getpid']])]);
    expect(words(profile, 'personality')).toEqual(['0=0x0', '0=0x8']);
    expect(words(profile, 'getpid')).toEqual(['any']);
    expect(parseProfile(canonicalProfile(profile))).toEqual(profile);
  });

  it('are the fixed ones of a basic call that was seen with nothing else', () => {
    for (const use of [
      ['fcntl', 3],
      ['ioctl', 0x5401],
      ['madvise', 4],
      ['prctl', 15],
      ['futex', 9],
    ] as const) {
      expect([use, learned([...use])]).toEqual([use, []]);
      expect(words(learn([recordingOf([[...use]])]), use[0])).toEqual(fixedWords(use[0]));
    }
  });

  it('admit beyond them what was seen, and the group that a benign use belongs to', () => {
    expect(learned(['fcntl', 8])).toEqual(['1=0x8']);
    expect(learned(['ioctl', 0x5412])).toEqual(['1=0x5412']);
    expect(learned(['madvise', 9])).toEqual(['2=0x9']);
    expect(learned(['futex', 6])).toEqual(['1&0xfffffe7f=0x6', '1&0xfffffe7f=0x7', ...LAST_PI]);
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
    expect(words(learn([recordingOf([['read']])]), 'clone')).toEqual(fixedWords('clone'));
    expect(learned(['clone', 0x1200000])).toContain('0&0xffffff00=0x4100');
  });

  it('never let memory be written and executed at once, whichever of its calls did the rest', () => {
    const names = ['mmap', 'mprotect'] as const;
    for (const name of names) {
      expect(learned([name, 3, 0x22], [name, 1, 2])).toEqual([]);
      expect(learned([name, 3, 0x22], [name, 5, 2])).toEqual([]);
    }
    for (const [one, other] of [names, [...names].reverse()] as const) {
      const profile = learn([
        recordingOf([
          [one, 3, 0x22],
          [other, 7, 0x22],
        ]),
      ]);
      expect(names.map((name) => words(profile, name))).toEqual([['any'], ['any']]);
    }
    const unseen = learn([recordingOf([['mmap', 7, 0x22]])]);
    expect(names.map((name) => words(unseen, name))).toEqual([['any'], ['any']]);
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
    expect(words(learn([recordingOf([['lseek', 0]])]), 'lseek')).toEqual(['any']);
    expect(words(learn([recordingOf([['clock_gettime', 0xfffffff6]])]), 'clock_gettime')).toEqual(['any']);
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
    expect(words(enough, 'fcntl')).toEqual(expect.arrayContaining(['1=0x3', '1=0x8', '1=0xa']));
    expect(words(enough, 'prctl')).toEqual(expect.arrayContaining(['0=0xf', '0=0x4']));
    expect(['ioctl', 'read'].map((name) => words(enough, name))).toEqual([['any'], ['any']]);
    const tooFew = learn([...aware, namesOnly], { needed: 3 });
    const seen = ['fcntl', 'ioctl', 'prctl', 'read'];
    expect(seen.map((name) => words(tooFew, name))).toEqual(seen.map(() => ['any']));
    expect(words(tooFew, 'madvise')).toEqual(fixedWords('madvise'));
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
    expect(words(learn([both]), 'fcntl')).not.toContain('1=0xa');
    expect(words(learn([seen, { ...seen, arguments: [] }]), 'fcntl')).toEqual(['any']);
    expect(words(learn([{ ...seen, arguments: [{ ...refused, count: 1, values: {} }] }]), 'fcntl')).toEqual(['any']);
  });

  it('learn a use that failed in the kernel: the next input makes the same call', () => {
    const failed: ArgumentUse = { call: 'fcntl', values: { 1: '0xa' }, count: 2, failures: { EINVAL: 2 } };
    const recording = { ...recordingOf([['fcntl', 10]]), arguments: [failed] };
    expect(words(learn([recording]), 'fcntl')).toContain('1=0xa');
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
    expect(words(profile, 'fcntl')).toEqual(expect.arrayContaining(['1=0x8', '1=0x400', ...fixedWords('fcntl')]));
    expect(words(profile, 'ioctl')).toEqual(expect.arrayContaining(['1=0x5412', ...fixedWords('ioctl')]));
    expect(words(profile, 'prctl')).toContain('0=0x4');
    expect(words(profile, 'read')).toEqual(['any']);
  });

  it('are given up for memory that came to be writable and executable at once', () => {
    const before = basedOn(rule('mprotect', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x4', value: '0x0' }));
    const executable = learn([recordingOf([['mprotect', 5]])], { basedOn: before });
    expect(words(executable, 'mprotect')).toEqual(fixedWords('mprotect'));
    expect(words(learn([recordingOf([['mprotect', 7]])], { basedOn: executable }), 'mprotect')).toEqual(['any']);
  });

  it('stay as they are when they hold all that was seen, also in another form', () => {
    const before = basedOn(
      rule('kill', { argument: 1, op: 'SCMP_CMP_LE', value: '0x9' }),
      rule('socket', equal(0, '0x1')),
    );
    const recording = recordingOf([['socket', 1, 1, 0]]);
    const profile = learn([recording], { basedOn: before });
    expect(byName(profile.rules).get('socket')).toEqual(byName(before.rules).get('socket'));
    expect(byName(profile.rules).get('kill')).toEqual(byName(before.rules).get('kill'));
    expect(learn([recording], { basedOn: profile })).toEqual(profile);
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
    const before = learn([recordingOf([], ['fcntl', 'ioctl', 'read', 'kill'])]);
    expect(words(before, 'fcntl')).toEqual(['any']);
    const profile = learn([recordingOf([['fcntl', 8]])], { basedOn: before });
    expect(words(profile, 'fcntl')).toEqual(expect.arrayContaining(['1=0x8', ...fixedWords('fcntl')]));
    expect(words(profile, 'kill')).toEqual(['any']);
    expect(words(profile, 'madvise')).toEqual(fixedWords('madvise'));
  });

  it('are not taken away from a version that somebody taught, however it looks', () => {
    const before = basedOn(rule('fcntl'));
    const options = { basedOn: before, basedOnTaught: true };
    expect(words(learn([recordingOf([['fcntl', 8]])], options), 'fcntl')).toEqual(['any']);
  });

  it('are untouched by recordings of names', () => {
    const before = basedOn(rule('fcntl', equal(1, '0x8')));
    const profile = learn([recordingOf([], ['fcntl', 'kill'])], { basedOn: before });
    expect(words(profile, 'fcntl')).toEqual(expect.arrayContaining(['1=0x8', ...fixedWords('fcntl')]));
    expect(words(profile, 'kill')).toEqual(['any']);
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

describe('the calls of a profile', () => {
  const refusedOf = (recording: Recording, options = {}) => refusalsByName(learn([recording], options).rules);

  it('are the basic ones, those that were seen, and the harmless rest of their families', () => {
    const profile = learn([recordingOf([], ['openat', 'execve'])]);
    const names = allowedNames(profile);
    expect(names).toEqual(expect.arrayContaining([...BASIC_CALLS, 'openat', 'unlinkat', 'execve', 'wait4', 'pipe2']));
    expect(names.filter((name) => ['authority', 'dangerous'].includes(callClass(name)))).toEqual(['execve']);
  });

  it('are the basic and the seen ones where an administrator closes by what was seen', () => {
    const profile = learn([recordingOf([], ['openat'])], { closure: 'seen' });
    expect(allowedNames(profile)).toEqual([...BASIC_CALLS, 'openat'].sort());
  });

  it('let a program that starts others fork, whichever call showed that it does', () => {
    const clone = (seen: string) => words(learn([recordingOf([[seen]])]), 'clone');
    for (const seen of ['execve', 'wait4', 'vfork', 'pipe2']) {
      const isStarting = seen !== 'pipe2';
      expect([seen, clone(seen).includes('0&0xffffff00=0x1200000')]).toEqual([seen, isStarting]);
    }
  });

  it('are refused quietly where the engine refused them while they were learned, and so is their family', () => {
    const recording = { ...recordingOf([], ['read']), refused: { get_mempolicy: { EPERM: 2 }, mount: { EPERM: 1 } } };
    const refused = refusedOf(recording);
    expect(['get_mempolicy', 'mbind', 'set_mempolicy'].map((name) => refused.get(name))).toEqual([1, 1, 1]);
    expect(refused.get('set_mempolicy_home_node')).toBe(38);
    expect([refused.has('mount'), refused.has('move_pages')]).toEqual([false, false]);
    expect(refusedOf({ ...recording, refused: { io_uring_setup: { ENOSYS: 1 } } }).get('io_uring_setup')).toBe(38);
  });

  it('are allowed beyond the default where an administrator says so and they were made', () => {
    const recording = recordingOf([], ['read', 'get_mempolicy']);
    const profile = learn([recording], { beyondDefault: ['get_mempolicy', 'mbind'] });
    expect(allowedNames(profile)).toEqual(expect.arrayContaining(['get_mempolicy', 'mbind']));
    expect(refusalsByName(profile.rules).has('set_mempolicy')).toBe(true);
  });

  it('have each a reason, and are not forgotten by the next version', () => {
    const first = mergeRecordings([runOf(recordingOf([], ['openat', 'futex']))], { needed: 1, distinctInputs: 1 });
    if (first.kind !== 'profile') throw new Error(first.kind);
    expect(first.origins.openat).toEqual({ origin: 'seen' });
    expect(first.origins.futex).toEqual({ origin: 'seen' });
    expect(first.origins.madvise).toEqual({ origin: 'basic' });
    expect(first.origins.unlink).toEqual({ origin: 'implied', family: 'file-changes' });
    expect(Object.keys(first.origins)).toEqual(
      [...allowedNames(first.profile), ...refusalsByName(first.profile.rules).keys()].sort(),
    );
    const options = { needed: 1, distinctInputs: 1, basedOn: first.profile, basedOnOrigins: first.origins };
    const next = mergeRecordings([runOf(recordingOf([], ['read']))], options);
    expect(next.kind === 'profile' && [next.profile, next.origins.openat]).toEqual([first.profile, { origin: 'seen' }]);
  });

  it('exist on the architecture that they are for', () => {
    const recording: Recording = { ...recordingOf([], ['openat', 'clone']), architecture: 'aarch64' };
    const names = [...Object.keys(Object.fromEntries(refusedOf(recording))), ...allowedNames(learn([recording]))];
    expect(names.filter((name) => syscallNumber('aarch64', name) === undefined)).toEqual([]);
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
