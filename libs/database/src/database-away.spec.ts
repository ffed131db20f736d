import { QueryFailedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { isDatabaseAway, isServerOverwhelmed } from './database-away.js';

const coded = (code: string, message = 'said the server') => Object.assign(new Error(message), { code });

describe('a database that is away', () => {
  it.each([
    coded('ECONNREFUSED'),
    coded('57P01', 'terminating connection due to administrator command'),
    coded('57P03', 'the database system is starting up'),
    coded('53300', 'sorry, too many clients already'),
    coded('25006', 'cannot execute UPDATE in a read-only transaction'),
    coded('28P01', 'password authentication failed'),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new Error('outer', { cause: coded('08006') }),
    new QueryFailedError('SELECT 1', [], new Error('Connection terminated unexpectedly')),
    new QueryFailedError('SELECT 1', [], coded('57014', 'canceling statement due to statement timeout')),
    Object.assign(new AggregateError([coded('ECONNREFUSED')]), { code: 'ECONNREFUSED' }),
  ])('is known by %s', (error) => {
    expect(isDatabaseAway(error)).toBe(true);
  });

  it.each([
    coded('23505'),
    coded('42601'),
    coded('22021'),
    new Error('something else'),
    new QueryFailedError('SELECT', [], coded('42P01')),
    'ECONNREFUSED',
    undefined,
  ])('is not what is wrong with %s', (error) => {
    expect(isDatabaseAway(error)).toBe(false);
  });
});

describe('a server that is overwhelmed', () => {
  const fromServer = (code: string) => Object.assign(coded(code), { severity: 'ERROR' });

  it.each([fromServer('53100'), fromServer('57P01'), new Error('outer', { cause: fromServer('53300') })])(
    'has said so: %s',
    (error) => expect(isServerOverwhelmed(error)).toBe(true),
  );

  it.each([coded('ENOENT'), coded('ECONNREFUSED'), coded('53100'), fromServer('23505'), 'text'])('is not %s', (error) =>
    expect(isServerOverwhelmed(error)).toBe(false),
  );
});
