import { describe, expect, it } from 'vitest';
import { PorinError } from '../errors/porin-error.js';
import { asTesError, isTesPath } from './tes-errors.js';

describe('errors for clients of TES', () => {
  it.each([
    '/ga4gh/tes/v1/tasks',
    '/v1/tasks?view=FULL',
    '/v1/nothing',
    '/ga4gh/tes/service-info',
    '/service-info?a',
    '/v1',
  ])('are those of %s', (target) => expect(isTesPath(target)).toBe(true));

  it.each([
    '/',
    '/api/v1/jobs',
    '/tasks',
    '/v10/tasks',
    '/service-information',
    '/ga4gh',
    '/ga4gh/tesla',
    '/x/v1/tasks',
  ])('are not those of %s', (target) => expect(isTesPath(target)).toBe(false));

  it('say in one text what is wrong, and how to log in', () => {
    const problems = ['name: is too long', 'executors: are none'];
    expect(asTesError(new PorinError('invalid-request', 'The task has 2 problem(s).', { problems }))).toEqual({
      members: {
        message: 'The task has 2 problem(s). name: is too long executors: are none',
        msg: 'The task has 2 problem(s). name: is too long executors: are none',
        status_code: 400,
      },
      headers: {},
    });
    const { headers } = asTesError(new PorinError('authentication-required', 'Send an API key.'));
    expect(headers).toEqual({ 'WWW-Authenticate': expect.stringMatching(/^Bearer .*, Basic /) as string });
  });
});
