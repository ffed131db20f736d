import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type JobAnswer } from './answers.js';
import { type Attack, attackProblems, ATTACKS } from './attacks.js';

const attack: Attack = {
  file: 'raw_socket.py',
  tries: 'opens',
  calls: ['socket'],
  isDangerous: false,
  worksWithoutProfile: false,
};
const BENIGN = ['clip_saturation.py', 'clip_together.py'];
const denied = '{"attack": "raw-socket", "result": "denied", "errno": "ENOSYS"}\n';
const job = (call: string, action = 'refused', enforcement = 'enforce'): JobAnswer => ({
  ...{ id: 'a', state: 'EXECUTOR_ERROR', waitingReason: null, errorCode: 'denied', errorMessage: '', attempts: [] },
  outputs: [{ path: '/out/normalised.edf', sha256: null }],
  runs: [
    {
      ...{ enforcement, monitoring: 'none', wallUs: 1, exitCode: 0, recording: null },
      denials: [{ call, arguments: [], action, errno: 'ENOSYS', description: '', class: 'authority', count: 1 }],
    },
  ],
});

describe('an attack', () => {
  it('was denied when its call was refused, it says so itself, and its job ended for it', () => {
    expect(attackProblems(attack, job('socket'), `a warning\n${denied}`)).toEqual([]);
  });

  it('need not say anything when a dangerous call ended it', () => {
    expect(attackProblems({ ...attack, isDangerous: true }, job('socket'), '')).toEqual([]);
    expect(attackProblems(attack, job('socket'), '')).toHaveLength(1);
  });

  it.each([
    ['another call was refused', job('ptrace'), denied, 'no denial of socket'],
    ['its call was let through', job('socket', 'continued'), denied, 'no denial of socket'],
    ['it says that it succeeded', job('socket'), '{"attack": "raw-socket", "result": "succeeded"}', '"succeeded"'],
    ['it says nothing', job('socket'), '', 'says nothing'],
    ['it ran without enforcement', job('socket', 'refused', 'audit'), denied, 'did not run under enforcement'],
    ['its job ended well', { ...job('socket'), state: 'COMPLETE' as const, errorCode: null }, denied, 'ended COMPLETE'],
    ['it published something', { ...job('socket'), outputs: [{ path: '/out/o', sha256: 'ab' }] }, denied, 'published'],
  ])('was not when %s', (_when, answer, stderr, problem) => {
    expect(attackProblems(attack, answer, stderr).join()).toContain(problem);
  });

  it('is made for every malicious plug-in of the example', () => {
    const folder = 'examples/edf-normalize/plugins';
    const files = ATTACKS.map(({ file }) => file);
    expect([...files, ...BENIGN].sort()).toEqual(
      readdirSync(folder)
        .filter((name) => name.endsWith('.py'))
        .sort(),
    );
  });
});
