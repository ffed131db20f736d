import { describe, expect, it } from 'vitest';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { recordingOf } from '../learn/recordings.fixture.js';
import { type Profile } from '../model/profile.js';
import { type FileUse } from '../model/recording.js';
import { deniedRecording, type DeniedRun, type RefusedCall } from './denied-recording.js';

const PROFILE: Profile = {
  version: 1,
  architecture: 'x86_64',
  rules: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
  files: [{ path: '/opt/app', rights: ['read'] }],
};
const refused = (call: string, ...values: string[]): RefusedCall => ({
  ...{ call, architecture: 'x86_64', errno: 'ENOSYS', arguments: values, count: 2 },
});
const evidence = (
  calls: readonly RefusedCall[],
  { isTaught = false, recording = null as DeniedRun['recording'] } = {},
) =>
  deniedRecording(
    { refused: calls, recording },
    { profile: PROFILE, isTaught, granted: engineDefaultNames('x86_64'), ceiling: DEFAULT_CEILING },
  );
const recorded = (...given: Parameters<typeof evidence>) => {
  const found = evidence(...given);
  if (found.kind !== 'recording') throw new Error(JSON.stringify(found));
  return found.recording;
};
const reason = (...given: Parameters<typeof evidence>) => {
  const found = evidence(...given);
  return found.kind === 'unproposable' ? found.reason : found.kind;
};

describe('what was refused, as a recording', () => {
  it('has the names of all shapes of a call, and is complete', () => {
    const {
      calls,
      partialReasons,
      arguments: uses,
    } = recorded([refused('kill', '0x1'), refused('kill', '0x2'), refused('tee')]);
    expect({ calls, partialReasons, uses }).toEqual({
      calls: { kill: 4, tee: 2 },
      partialReasons: [],
      uses: undefined,
    });
  });

  it('has the arguments that conditions are about, where conditions are taught', () => {
    const calls = [refused('socket', '0xffffffff00000002', '0x80801', '0x0'), refused('kill', '0x1', '0x9')];
    expect(recorded(calls, { isTaught: true }).arguments).toEqual([
      { call: 'socket', values: { 0: '0x2', 1: '0x1', 2: '0x0' }, count: 2, failures: {} },
    ]);
    expect(recorded(calls).arguments).toBeUndefined();
    expect(recorded([refused('socket', '0x2')], { isTaught: true }).arguments).toBeUndefined();
  });

  it('has what the engine refuses to everybody as refused: the next program hears the same, and nobody is told', () => {
    const { calls, refused: quiet } = recorded([refused('mbind'), refused('kill')]);
    expect({ calls, quiet }).toEqual({ calls: { kill: 2 }, quiet: { mbind: { EPERM: 2 } } });
  });

  it('has the files that Landlock refused by its recording, and no others', () => {
    const use = (path: string, result: string, access: FileUse['access'] = 'read'): FileUse => ({
      ...{ path, access, result, resolved: result === 'ok', count: 1 },
    });
    const files = [use('/etc/a', 'EACCES'), use('/etc/b', 'ENOENT'), use('/opt/app/c', 'EACCES'), use('/etc/d', 'ok')];
    const recording = { ...recordingOf([], ['read']), files };
    const denial = { ...refused('file'), errno: 'EACCES' };
    expect(recorded([denial], { recording }).files).toEqual([use('/etc/a', 'ok')]);
    expect(reason([denial])).toContain('monitoring "files"');
    expect(reason([denial], { recording: recordingOf([], ['read']) })).toContain('no rule can name');
  });
});

describe('a run is no evidence', () => {
  it.each<[string, RefusedCall, string]>([
    ['a dangerous call', refused('keyctl'), 'keyctl is dangerous'],
    ['a call of another ABI', { ...refused('call 11'), architecture: 'i386' }, 'call 11 is dangerous'],
    [
      'a number that no kernel has, refused by EPERM',
      { ...refused('call 9999'), errno: 'EPERM' },
      'call 9999 is dangerous',
    ],
    ['arguments that a guard refuses', refused('personality', '0x40000'), 'address randomisation'],
    ['arguments that a guard refuses, with high bits set', refused('tgkill', '0x100000001'), 'the supervisor'],
  ])('of any proposal after %s, whatever else it was refused', (_name, denial, words) => {
    expect(reason([refused('kill'), denial])).toContain(words);
  });

  it('where it only asked for what no kernel has', () => {
    expect(reason([refused('call 9999')])).toBe('nothing');
    expect(Object.keys(recorded([refused('call 9999'), refused('kill')]).calls)).toEqual(['kill']);
  });

  it('of a guarded call only where a guard refuses it', () => {
    expect(Object.keys(recorded([refused('personality', '0xffffffff')]).calls)).toEqual(['personality']);
  });
});
