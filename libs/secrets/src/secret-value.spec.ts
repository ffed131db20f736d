import { describe, expect, it } from 'vitest';
import { SECRET_KINDS, SECRET_SCHEMAS } from './secret-value.js';

const VALUES = {
  s3: { kind: 's3', accessKeyId: 'AKIA', secretAccessKey: 'a/b+c=', sessionToken: 't' },
  bearer: { kind: 'bearer', token: 'abc.def-ghi=' },
  basic: { kind: 'basic', user: 'anna maria', password: 'p:ä ß' },
  headers: { kind: 'headers', headers: { 'X-Api-Key': 'a b', Cookie: 'session=1' } },
  registry: { kind: 'registry', user: 'robot$porin', password: '' },
};

describe('the value of a secret', () => {
  it.each(SECRET_KINDS)('is read: %s', (kind) => {
    expect(SECRET_SCHEMAS[kind].parse(VALUES[kind])).toEqual(VALUES[kind]);
  });

  it.each([
    ['a token with a line feed', 'bearer', { token: 'a\r\nHost: other' }],
    ['a token with a blank', 'bearer', { token: 'a b' }],
    ['an empty token', 'bearer', { token: '' }],
    ['a member that the kind does not have', 'bearer', { password: 'p' }],
    ['a user with a colon', 'basic', { user: 'a:b' }],
    ['a password with a control character', 'registry', { password: 'a\n' }],
    ['no header', 'headers', { headers: {} }],
    ['more than servers take', 'headers', { headers: { 'X-A': 'a'.repeat(9000), 'X-B': 'b'.repeat(9000) } }],
    ['a header twice', 'headers', { headers: { 'X-A': '1', 'x-a': '2' } }],
    ['a header with a line feed in its value', 'headers', { headers: { 'X-A': '1\nX-B: 2' } }],
    ['a header with a blank in its name', 'headers', { headers: { 'X A': '1' } }],
    ...[
      'Host',
      'content-length',
      'Transfer-Encoding',
      'Connection',
      'Range',
      'If-None-Match',
      'Proxy-Authorization',
    ].map((name) => [`the header ${name}`, 'headers', { headers: { [name]: '1' } }] as const),
  ] as const)('is refused: %s', (_name, kind, members) => {
    expect(SECRET_SCHEMAS[kind].safeParse({ ...VALUES[kind], ...members }).success).toBe(false);
  });
});
