import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type JobAnswer } from './answers.js';
import { type Attack, attackProblems, ATTACKS, BENIGN_PLUGIN } from './attacks.js';

const attack: Attack = { file: 'raw_socket.py', tries: 'opens', calls: ['socket'], worksWithoutProfile: false };
const denied = '{"attack": "raw-socket", "result": "denied", "errno": "ENOSYS"}\n';
const job = (call: string, action = 'refused', enforcement = 'enforce'): JobAnswer => ({
  ...{ id: 'a', state: 'COMPLETE', waitingReason: null, errorCode: null, errorMessage: null, attempts: [] },
  outputs: [{ path: '/out/normalised.edf', sha256: 'ab' }],
  runs: [
    {
      ...{ enforcement, monitoring: 'none', wallUs: 1, exitCode: 0, recording: null },
      denials: [{ call, arguments: [], action, errno: 'ENOSYS', description: '', count: 1 }],
    },
  ],
});

describe('an attack', () => {
  it('was denied when its call was refused and it says so itself', () => {
    expect(attackProblems(attack, job('socket'), `a warning\n${denied}`, 'ab')).toEqual([]);
  });

  it.each([
    ['another call was refused', job('ptrace'), denied, 'no denial of socket'],
    ['its call was let through', job('socket', 'continued'), denied, 'no denial of socket'],
    ['it says that it succeeded', job('socket'), '{"attack": "raw-socket", "result": "succeeded"}', '"succeeded"'],
    ['it says nothing', job('socket'), '', 'says nothing'],
    ['it ran without enforcement', job('socket', 'refused', 'audit'), denied, 'did not run under enforcement'],
    ['it changed the output', { ...job('socket'), outputs: [] }, denied, 'changed the output'],
  ])('was not when %s', (_when, answer, stderr, problem) => {
    expect(attackProblems(attack, answer, stderr, 'ab').join()).toContain(problem);
  });

  it('is made for every malicious plug-in of the example', () => {
    const folder = 'examples/edf-normalize/plugins';
    const files = ATTACKS.map(({ file }) => file);
    expect([...files, BENIGN_PLUGIN].sort()).toEqual(
      readdirSync(folder)
        .filter((name) => name.endsWith('.py'))
        .sort(),
    );
    expect(existsSync(`${folder}/${BENIGN_PLUGIN}`)).toBe(true);
  });
});
