import { type JobState } from '#lib/jobs';
import { describe, expect, it } from 'vitest';
import { type JobAnswer } from './answers.js';
import { additionLines, denialLine, isHeld, overheadLines, profileLines, progress } from './describe.js';

const job = (state: JobState, more: Partial<JobAnswer> = {}): JobAnswer => ({
  ...{ id: 'a', state, waitingReason: null, errorCode: null, errorMessage: null, attempts: [], outputs: [], runs: [] },
  ...more,
});
const run = { enforcement: 'none', monitoring: 'none', wallUs: 812_000, exitCode: 0, denials: [], recording: null };

describe('the progress of a job', () => {
  it.each([
    [
      'why it waits',
      job('QUEUED', { waitingReasonText: 'waiting for a slot on a node' }),
      'waiting for a slot on a node',
    ],
    ['where it is prepared', job('INITIALIZING', { attempts: [{ number: 1, node: 'n1' }] }), 'is being prepared on n1'],
    ['which attempt runs', job('RUNNING', { attempts: [{ number: 2, node: 'n1' }] }), 'runs on n1, attempt 2'],
    ['how long it took', job('COMPLETE', { runs: [run] }), 'complete, the payload took 0.812 s'],
    [
      'what went wrong',
      job('EXECUTOR_ERROR', { errorCode: 'exit-code', errorMessage: 'The payload ended with exit code 3.' }),
      'EXECUTOR_ERROR, exit-code: The payload ended with exit code 3.',
    ],
  ])('says %s', (_what, answer, words) => {
    expect(progress(answer)).toBe(words);
  });
});

it('shows a reviewer coverage, difference and warnings', () => {
  const lines = profileLines(
    {
      ...{ id: 'p', number: 1, digest: 'sha256:ab', state: 'PROPOSED', recordings: [{}, {}, {}] },
      ...{ stage: null, promotion: null, decisions: [] },
      profile: {
        ...{ version: 1, architecture: 'x86_64', network: 'none' },
        rules: [
          { names: ['brk', 'read', 'waitid', 'write'], action: 'SCMP_ACT_ALLOW' },
          { names: ['madvise'], action: 'SCMP_ACT_ALLOW', args: [{ argument: 2, op: 'SCMP_CMP_EQ', value: '0x4' }] },
        ],
      },
      coverage: {
        write: { seenIn: 3, of: 3 },
        brk: { seenIn: 1, of: 3 },
        read: { seenIn: 3, of: 3 },
        waitid: { seenIn: 0, of: 3 },
      },
      lint: [{ name: 'brk', kind: 'rare', reason: 'seen in 1 of 3 recordings only' }],
    },
    {
      previous: null,
      engineDefault: { added: [], removed: ['ptrace', 'socket'], unchanged: ['brk', 'read', 'write'] },
    },
  );
  expect(lines).toEqual([
    'version 1, sha256:ab',
    '4 system calls, learned from 3 recordings',
    'seen in 3 of 3:',
    '  read write',
    'seen in 1 of 3:',
    '  brk',
    '1 more that any program may make, or that are of a family that was seen',
    "against Docker's default profile: keeps 3 calls, takes away 2, adds none",
    "known kernel vulnerabilities closed: 25 of 29, 27 with the conditions on arguments, 10 by Docker's default profile",
    'warnings for the reviewer:',
    '  rare: brk seen in 1 of 3 recordings only',
  ]);
});

it('holds a job that waits for a decision about what it was refused, and no other that waits', () => {
  expect(isHeld(job('QUEUED', { waitingReason: 'waiting-for-profile-decision' }))).toBe(true);
  expect(isHeld(job('QUEUED', { waitingReason: 'waiting-for-slot' }))).toBe(false);
  expect(isHeld(job('EXECUTOR_ERROR'))).toBe(false);
});

it('shows what a version adds, why, and by which denials', () => {
  const call = { class: 'harmless', change: 'added', allows: 'waits for many descriptors at once' };
  const lines = additionLines({
    calls: [
      { ...call, name: 'epoll_create1', origin: { origin: 'denied' } },
      { ...call, name: 'epoll_ctl', origin: { origin: 'implied' } },
      { ...call, name: 'read', change: 'kept', origin: { origin: 'seen' } },
    ],
    evidence: [{ description: 'epoll_create1(EPOLL_CLOEXEC)', class: 'harmless', runs: 1 }],
  });
  expect(lines).toEqual([
    'adds epoll_create1 (harmless, denied): waits for many descriptors at once',
    'and, of the same family, epoll_ctl',
    'evidence: epoll_create1(EPOLL_CLOEXEC), refused in 1 run',
  ]);
});

it('shows a denial with its arguments, answer and count', () => {
  const answer = { action: 'refused', errno: 'ENOSYS', count: 1, class: 'authority' };
  const denial = { ...answer, call: 'socket', arguments: ['0x2', '0x3', '0x6'] };
  expect(denialLine({ ...denial, description: 'socket(AF_INET, SOCK_RAW, 6)' })).toBe(
    'socket(AF_INET, SOCK_RAW, 6) was refused with ENOSYS, 1 time (authority; arguments 0x2 0x3 0x6)',
  );
});

it('gives the overhead of each level, or why there is none', () => {
  const lines = overheadLines([
    {
      ...{ level: { enforcement: 'none', monitoring: 'none' }, n: 4, medianWallUs: 800_000 },
      ...{ ratio: 1, comparedRuns: 4, reason: null },
    },
    {
      ...{ level: { enforcement: 'enforce', monitoring: 'none' }, n: 13, medianWallUs: 808_000 },
      ...{ ratio: null, comparedRuns: 0, reason: 'there is no run to compare with' },
    },
  ]);
  expect(lines).toEqual([
    'enforcement  monitoring  runs  median payload  compared  ratio to (none, none)',
    'none         none           4         0.800 s         4  1.000',
    'enforce      none          13         0.808 s         0  none: there is no run to compare with',
  ]);
});
