/** The files of a profile as Landlock holds them, in real containers; needs a kernel whose ABI is 6 or newer. */
import { type LandlockRules } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { policyFor, runUnderInit } from '../support/init-container.js';

const EACCES = 13;
/** Owned by the payload's user, and nothing but rules keeps it from writing there. */
const hostConfig = { Tmpfs: { '/tmp': 'uid=65534,gid=65534' } };

const PAYLOAD = { path: '/payload', rights: ['read', 'execute'] } as const;
const ATTEMPTS = [
  'open-passwd',
  'list-etc',
  'list-tmp',
  'write-null',
  'make-tmp',
  'write-tmp',
  'make-directory',
  'move-tmp',
  'remove-tmp',
  'make-fifo',
];

async function results(rules: LandlockRules | undefined, attempts: readonly string[] = ATTEMPTS) {
  const policy = policyFor(['try', ...attempts], rules && { landlock: rules });
  const { start, end, output } = await runUnderInit(policy, { hostConfig });
  expect(end?.exited.end).toEqual({ exitCode: 0 });
  const lines = output
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
  return { start, results: Object.fromEntries(lines) };
}

const all = (result: string) => Object.fromEntries(ATTEMPTS.map((name) => [name, result]));

describe('Landlock', () => {
  it('holds nothing where the profile does not say', async () => {
    const { start, results: got } = await results(undefined);
    expect(start).toEqual({ kind: 'started', landlockStatus: 'NOT_ENFORCED' });
    expect(got).toEqual(all('ok'));
  });

  it('refuses whatever no rule grants', async () => {
    const { start, results: got } = await results([PAYLOAD]);
    expect(start).toEqual({ kind: 'started', landlockStatus: 'FULLY_ENFORCED' });
    // The last two need what could not be made.
    expect(got).toEqual({ ...all('EACCES'), 'write-tmp': 'ENOENT', 'move-tmp': 'ENOENT', 'remove-tmp': 'ENOENT' });
  });

  it('grants each right below its path and no other', async () => {
    const read = await results([PAYLOAD, { path: '/etc', rights: ['read'] }, { path: '/tmp', rights: ['read'] }]);
    expect(read.results).toMatchObject({
      'open-passwd': 'ok',
      'list-etc': 'ok',
      'list-tmp': 'ok',
      'write-null': 'EACCES',
      'make-tmp': 'EACCES',
    });

    // To make a file is one right, to write into it another.
    const create = await results([PAYLOAD, { path: '/tmp', rights: ['create'] }]);
    expect(create.results).toMatchObject({ 'list-tmp': 'EACCES', 'make-directory': 'ok', 'make-fifo': 'ok' });
    expect(create.results['make-tmp']).toBe('EACCES');

    const write = await results([
      PAYLOAD,
      { path: '/tmp', rights: ['write', 'create'] },
      { path: '/dev/null', rights: ['write'] },
    ]);
    expect(write.results).toEqual({
      ...all('ok'),
      'open-passwd': 'EACCES',
      'list-etc': 'EACCES',
      'list-tmp': 'EACCES',
    });
  });

  it('never lets devices be made', async () => {
    const rules = [PAYLOAD, { path: '/', rights: ['read', 'write', 'create', 'execute'] }] as const;
    const { results: got } = await results(rules, ['make-device', 'make-fifo']);
    expect(got).toEqual({ 'make-device': 'EACCES', 'make-fifo': 'ok' });
  });

  it('lets a rule on a file have what a file can have, and skips what is not there', async () => {
    const { results: got } = await results(
      [
        PAYLOAD,
        { path: '/etc/passwd', rights: ['read', 'write', 'create', 'execute'] },
        { path: '/dev/null', rights: ['create'] },
        { path: '/missing', rights: ['read'] },
        { path: '/etc/passwd/below', rights: ['read'] },
      ],
      ['open-passwd', 'list-etc', 'write-null'],
    );
    expect(got).toEqual({ 'open-passwd': 'ok', 'list-etc': 'EACCES', 'write-null': 'EACCES' });
  });

  it('keeps signals and abstract sockets within the payload', async () => {
    const attempts = ['probe-init', 'probe-self', 'abstract-own'];
    const { results: inside } = await results([PAYLOAD], attempts);
    expect(inside).toEqual({ 'probe-init': 'EPERM', 'probe-self': 'ok', 'abstract-own': 'ok' });
    const { results: without } = await results(undefined, attempts);
    expect(without).toEqual({ 'probe-init': 'ok', 'probe-self': 'ok', 'abstract-own': 'ok' });
  });

  it('is of the payload alone: porin-init still looks around in it, and reports', async () => {
    const { output, end } = await runUnderInit(
      policyFor(['self'], { landlock: [PAYLOAD, { path: '/', rights: ['read'] }] }),
    );
    expect(output).toContain('fd 2\n');
    expect(output).not.toContain('fd 3');
    expect(end?.exited.end).toEqual({ exitCode: 0 });
  });

  it('must grant the payload its own execution', async () => {
    const { start } = await runUnderInit(policyFor(['exit', '0'], { landlock: [{ path: '/', rights: ['read'] }] }));
    expect(start).toEqual({ kind: 'failed', stage: 'exec', errno: EACCES });
  });
});
