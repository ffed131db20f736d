import { type Denial, type ExecutorOutcome, type ExecutorRunReport } from '#lib/execution';
import { JobError } from '#lib/jobs';
import { type Enforcement } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { type RunFacts } from './job-errors.js';
import { runVerdict } from './run-verdict.js';

const FACTS: RunFacts = {
  limits: { cpuMilli: 1, memoryBytes: 1, diskBytes: 1, pids: 1, wallTimeMs: 1000, logBytes: 1 },
  wallTimeS: 1,
  command: ['tool'],
  workingDirectory: '/',
  stdin: '/in/a',
  node: 'node-1',
};
const denial = (call: string, change: Partial<Denial> = {}): Denial => ({
  ...{ call, number: 1, architecture: 'x86_64', action: 'refused', errno: 'EPERM', arguments: [], count: 1 },
  description: `${call}()`,
  ...change,
});
const SUCCESS: ExecutorOutcome = { kind: 'exited', exitCode: 0 };

function verdict(
  denials: readonly Denial[],
  onDenial: 'hold' | 'fail' | 'report' | null = 'hold',
  outcome: ExecutorOutcome = SUCCESS,
  report: Partial<ExecutorRunReport> = {},
  enforcement: Enforcement = 'enforce',
): string {
  const held = { onDenial, level: { enforcement, monitoring: 'none' } } as const;
  const found = runVerdict({ outcome, ...report } as ExecutorRunReport, denials, held, FACTS);
  return found.kind === 'go-on' ? found.kind : `${found.kind} ${found.error.code}`;
}

describe('the verdict on a run', () => {
  it('is by its end alone where nothing was refused', () => {
    expect(verdict([])).toBe('go-on');
    expect(verdict([], 'hold', { kind: 'exited', exitCode: 2 })).toBe('fail exit-code');
    expect(verdict([denial('mkdir', { action: 'continued' })])).toBe('go-on');
    expect(verdict([denial('call 999', { errno: 'ENOSYS' })])).toBe('go-on');
  });

  it.each(['basic clone', 'harmless mkdir', 'authority kill', 'authority file'])(
    'of a refused %s is what the application says, whatever the payload made of it',
    (classed) => {
      const refused = [denial(classed.split(' ')[1] ?? '')];
      for (const outcome of [SUCCESS, { kind: 'exited', exitCode: 9 }] as const) {
        expect(verdict(refused, 'hold', outcome)).toBe('hold denied');
        expect(verdict(refused, 'fail', outcome)).toBe('fail denied');
      }
      expect(verdict(refused, 'report')).toBe('go-on');
      expect(verdict(refused, 'report', { kind: 'exited', exitCode: 9 })).toBe('fail exit-code');
    },
  );

  it.each<[ExecutorOutcome, string]>([
    [SUCCESS, 'disk-limit'],
    [{ kind: 'exited', exitCode: 3 }, 'disk-limit'],
    [{ kind: 'signaled', signal: 9, oomKilled: true }, 'out-of-memory'],
    [{ kind: 'stopped', reason: 'canceled' }, 'canceled'],
  ])('of one whose output was lost, and that ended by %j, is %s', (outcome, code) => {
    const held = { onDenial: 'hold', level: { enforcement: 'none', monitoring: 'none' } } as const;
    const lostOutput = JobError.of('disk-limit', { limitBytes: 1 });
    const found = runVerdict({ outcome } as ExecutorRunReport, [], held, { ...FACTS, lostOutput });
    expect([found.kind, found.error?.code]).toEqual(['fail', code]);
  });

  it('of a dangerous call is a failure at once, whatever the application says', () => {
    const stopped: ExecutorOutcome = { kind: 'stopped', reason: 'dangerous-call' };
    for (const onDenial of ['hold', 'fail', 'report'] as const) {
      expect(verdict([denial('bpf')], onDenial, stopped)).toBe('fail denied');
      expect(verdict([denial('mkdir'), denial('bpf')], onDenial)).toBe('fail denied');
    }
  });

  it('of an audit is about dangerous calls alone, and of a run without a profile about none', () => {
    expect(verdict([denial('setpriority')], null, SUCCESS, {}, 'audit')).toBe('go-on');
    expect(verdict([denial('bpf')], null, SUCCESS, {}, 'audit')).toBe('fail denied');
    expect(verdict([denial('bpf'), denial('setpriority')], null, SUCCESS, {}, 'none')).toBe('go-on');
  });

  it('of a storm says so, and is held or failed as any refusal', () => {
    const stopped: ExecutorOutcome = { kind: 'stopped', reason: 'denial-storm' };
    const report = { stoppedBy: denial('clock_nanosleep') };
    expect(verdict([denial('clock_nanosleep')], 'hold', stopped, report)).toBe('hold denial-storm');
    expect(verdict([denial('clock_nanosleep')], 'fail', stopped, report)).toBe('fail denial-storm');
  });

  it('is not about refusals where others ended the run, or where it cannot run here at all', () => {
    for (const [reason, code] of [
      ['canceled', 'canceled'],
      ['lease-lost', 'lease-lost'],
      ['draining', 'node-draining'],
      ['control-channel', 'control-channel'],
    ] as const) {
      expect(verdict([denial('mkdir'), denial('bpf')], 'hold', { kind: 'stopped', reason })).toBe(`fail ${code}`);
    }
    const foreign = { foreignProgram: { abi: 'i386', path: '/bin/old' } as const };
    expect(verdict([denial('call 4', { architecture: 'i386' })], 'hold', SUCCESS, foreign)).toBe(
      'fail unsupported-abi',
    );
  });

  it('names a few of the calls', () => {
    const many = ['mkdir', 'rmdir', 'link', 'unlink', 'rename'].map((call) => denial(call));
    const held = { onDenial: 'hold', level: { enforcement: 'enforce', monitoring: 'none' } } as const;
    const found = runVerdict({ outcome: SUCCESS } as ExecutorRunReport, many, held, FACTS);
    expect(found).toMatchObject({
      error: { message: expect.stringContaining('mkdir() EPERM; rmdir() EPERM; link() EPERM; and 2 more.') as string },
    });
  });
});
