import { type ExecutorOutcome, type ExecutorRunReport, type ForeignProgram } from '#lib/execution';
import { describe, expect, it } from 'vitest';
import { outcomeError } from './job-errors.js';

const GIB = 1024 ** 3;
const FACTS = {
  limits: { cpuMilli: 1000, memoryBytes: GIB, diskBytes: GIB, pids: 64, wallTimeMs: 1000, logBytes: 1024 },
  ...{ wallTimeS: 1, command: ['/opt/tool'], workingDirectory: '/', stdin: '/in/a', node: 'n' },
};

function errorOf(outcome: ExecutorOutcome, foreignProgram?: ForeignProgram) {
  const report: ExecutorRunReport = {
    outcome,
    level: { enforcement: 'none', monitoring: 'none' },
    phasesMs: { create: 1, start: 1, payload: 1, remove: 1 },
    ...{ denials: [], denialsDropped: 0 },
    logs: { stdout: { bytes: 0, droppedBytes: 0 }, stderr: { bytes: 0, droppedBytes: 0 } },
    sandbox: { initVersion: '0.1.0', kernel: '6.18', landlockAbi: 7 },
    ...(foreignProgram && { foreignProgram }),
  };
  return outcomeError(report, FACTS);
}

describe('a run of which a program is for another ABI', () => {
  const program = { abi: 'i386', path: '/opt/tool' } as const;

  it.each<[string, ExecutorOutcome]>([
    ['still succeeds', { kind: 'exited', exitCode: 0 }],
    ['ends with an exit code', { kind: 'exited', exitCode: 139 }],
    ['dies by a signal', { kind: 'signaled', signal: 11, oomKilled: false }],
    ['cannot be executed', { kind: 'exec-failed', stage: 'exec', errno: 'ENOEXEC' }],
    ['waits for it past its wall time', { kind: 'stopped', reason: 'wall-time' }],
    ['is stopped for its first call', { kind: 'stopped', reason: 'dangerous-call' }],
  ])('ends its job by that, whether it %s', (_name, outcome) => {
    const error = errorOf(outcome, program);
    expect(error?.code).toBe('unsupported-abi');
    expect(error?.entry).toMatchObject({ fault: 'payload', finalState: 'EXECUTOR_ERROR', retryable: false });
    expect(error?.message).toBe(
      'The program /opt/tool cannot run here: it was built for 32-bit computers (i386), and this grid runs 64-bit programs only. Ask for a 64-bit build of it, or choose an image that has one.',
    );
  });

  it.each(['canceled', 'lease-lost', 'draining'] as const)('is still %s where others stopped it', (reason) => {
    const outcome = { kind: 'stopped', reason } as const;
    expect(errorOf(outcome, program)?.code).toBe(errorOf(outcome)?.code);
  });

  it('calls 32-bit Arm by its name', () => {
    expect(errorOf({ kind: 'exited', exitCode: 0 }, { abi: 'arm', path: '/a' })?.message).toContain('(32-bit Arm)');
  });
});

describe('a run without', () => {
  it('has no error after exit code 0', () => {
    expect(errorOf({ kind: 'exited', exitCode: 0 })).toBeUndefined();
  });
});
