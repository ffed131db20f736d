import { describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, JOB_ERROR_CODES, type JobErrorCode, NODE_ERROR_CODES } from './error-catalogue.js';
import { attemptStateOf, describePaths, JobError, type JobErrorDetails, redactUrl, shownName } from './job-error.js';

describe('the error catalogue', () => {
  it.each(JOB_ERROR_CODES)('%s: fault, final state and retry agree', (code) => {
    const { fault, finalState, retryable, message } = ERROR_CATALOGUE[code];
    if (retryable) expect([fault, finalState]).toEqual(['system', 'SYSTEM_ERROR']);
    if (finalState === 'SYSTEM_ERROR') expect(fault).toBe('system');
    if (finalState === 'EXECUTOR_ERROR') expect(fault).not.toBe('system');
    expect(message).toMatch(/^[A-Zp{].*[.}]$/);
  });

  it('says of which failures a node may be the cause', () => {
    expect(NODE_ERROR_CODES).toEqual([
      ...['image-not-on-node', 'image-pull-failed', 'input-fetch-failed', 'output-upload-failed'],
      ...['monitoring-unavailable', 'landlock-unavailable', 'profile-integrity', 'profile-signature'],
      ...['secret-not-opened', 'control-channel', 'engine-error', 'recorder-lost', 'lease-lost', 'internal-error'],
    ]);
  });

  it('names its codes in one way', () => {
    for (const code of JOB_ERROR_CODES) expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  it('ends no job by truncated logs or a forged message', () => {
    expect(JOB_ERROR_CODES.filter((code) => ERROR_CATALOGUE[code].finalState === null)).toEqual([
      'log-limit',
      'forged-message',
    ]);
  });

  it.each([
    ['canceled', 'CANCELED'],
    ['lease-lost', 'LOST'],
    ['node-draining', 'RELEASED'],
    ['exit-code', 'FAILED'],
    ['engine-error', 'FAILED'],
  ] as const)('an attempt that ends by %s is %s', (code, state) => {
    expect(attemptStateOf(code)).toBe(state);
  });
});

describe('JobError', () => {
  it('fills its message in and keeps the cause', () => {
    const cause = new Error('root');
    const error = JobError.of('output-not-regular', { path: '/out/a', type: 'FIFO' }, { cause });
    expect(error.message).toBe('The output /out/a is a FIFO. Only regular files are published.');
    expect(error.cause).toBe(cause);
    expect(error.entry.finalState).toBe('EXECUTOR_ERROR');
  });

  it('is held to the details of its code by the compiler', () => {
    // @ts-expect-error exitCode is missing
    expect(JobError.of('exit-code', {}).message).toContain('undefined');
  });

  it.each(JOB_ERROR_CODES)('%s shows every character of a name, and where a long one ends', (code) => {
    const { message } = ERROR_CATALOGUE[code];
    const names = [...message.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const isWords = (name: string) => ['detail', 'published'].includes(name);
    const told = (hostile: string) => {
      const details = Object.fromEntries(names.map((name) => [name, isWords(name) ? 'words' : hostile]));
      return JobError.of(code, details as JobErrorDetails<JobErrorCode>).message;
    };
    const hostile = '/out/a\n\x1b[2J\u202e\u{e0041}\ud83d\\';
    expect(told(hostile)).toMatch(/^[ -~]+$/);
    for (const name of names.filter((each) => !isWords(each)))
      expect(told(hostile)).toContain(shownName(name === 'url' ? redactUrl(hostile) : hostile));
    const longest = told(`/out/${'\u{e0041}'.repeat(16_000)}/end`);
    expect(longest.length).toBeLessThan(5_000);
    expect(longest).toContain(message.slice(message.lastIndexOf('}') + 1));
  });

  it('names paths as it names one', () => {
    expect(describePaths(['/out/a', '/out/\n'])).toBe('/out/a, /out/\\u{a}');
  });

  it('cuts no escape of a long name in two', () => {
    const shown = shownName(`/${'\n'.repeat(500)}/end`);
    expect(shown).toMatch(/^\/(\\u\{a\})+\.\.\.(\\u\{a\})+\/end$/);
    expect(shown.length).toBeLessThanOrEqual(1003);
  });

  it('never shows credentials of a URL', () => {
    const url = 'https://user:secret@example.org/in?X-Signature=secret#secret';
    expect(JobError.of('input-not-found', { url, path: '/in/a' }).message).toBe(
      'The input https://example.org/in for /in/a does not exist.',
    );
  });

  it.each([
    ['file:///data/a%20b', 'file:///data/a%20b'],
    ['not a url?token=secret', 'not a url'],
    ['//user:secret@host/a', '//host/a'],
  ])('redacts %s to %s', (url, redacted) => {
    expect(redactUrl(url)).toBe(redacted);
  });
});
