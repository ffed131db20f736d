import { describe, expect, it } from 'vitest';
import { parseRecorderLine } from './recorder-line.js';

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');

describe('the details before a finished line', () => {
  it('are uses with their values', () => {
    expect(parseRecorderLine('use 3f-a_9 41 97 12 0:0x2,1:0x1,5:0xffffffffffffffff')).toEqual({
      kind: 'use',
      runId: '3f-a_9',
      number: 41,
      errno: 97,
      count: 12,
      values: { '0': '0x2', '1': '0x1', '5': '0xffffffffffffffff' },
    });
    expect(parseRecorderLine('use a 0 0 1 -')).toMatchObject({ values: {} });
    expect(parseRecorderLine('use a 0 0 1 2:0x0')).toMatchObject({ values: { '2': '0x0' } });
  });

  it('are files with their paths, of any bytes', () => {
    const path = Buffer.from('/etc/\xffx', 'latin1');
    expect(parseRecorderLine(`file a rename-from 2 0 3 ${base64(path)}`)).toEqual({
      kind: 'file',
      runId: 'a',
      access: 'rename-from',
      errno: 2,
      resolved: false,
      count: 3,
      path,
    });
    expect(parseRecorderLine(`file a read 0 1 3 ${base64('/')}`)).toMatchObject({ resolved: true });
  });

  it('are sockets with their addresses', () => {
    const address = Buffer.from([1, 0, 47, 97]);
    expect(parseRecorderLine(`socket a connect 111 1 ${base64(address)}`)).toEqual({
      kind: 'socket',
      runId: 'a',
      operation: 'connect',
      errno: 111,
      count: 1,
      address,
    });
    expect(parseRecorderLine('socket a bind 22 1 ')).toMatchObject({ address: Buffer.alloc(0) });
  });

  it('are refused calls by number and errno', () => {
    expect(parseRecorderLine('refused 3f-a_9 237 1 12')).toEqual({
      kind: 'refused',
      runId: '3f-a_9',
      number: 237,
      errno: 1,
      count: 12,
    });
  });

  it.each([
    'refused a',
    'refused a 237 1',
    'refused a 237 1 2 -',
    'refused a 237 0 2',
    'refused a 237 4096 2',
    'refused a 237 EPERM 2',
    'refused a mbind 1 2',
    'refused a/b 237 1 2',
    'use a',
    'use a 41 0 1',
    'use a 41 0 1 - -',
    'use a 41 0 1 ',
    'use a/b 41 0 1 -',
    'use a -1 0 1 -',
    'use a 41 4096 1 -',
    'use a 41 0 1e3 -',
    'use a 41 0 99999999999999999 -',
    'use a 41 0 1 6:0x1',
    'use a 41 0 1 0:1',
    'use a 41 0 1 0:0x01',
    'use a 41 0 1 0:0xA',
    'use a 41 0 1 0:0x',
    'use a 41 0 1 0:0x10000000000000000',
    'use a 41 0 1 0:0x1,0:0x2',
    'use a 41 0 1 1:0x1,0:0x2',
    'use a 41 0 1 0:0x1,',
    'use a 41 0 1 __proto__:0x1',
    `file a read 0 1 3`,
    `file a read 0 2 3 ${base64('/')}`,
    `file a stat 0 1 3 ${base64('/')}`,
    `file a toString 0 1 3 ${base64('/')}`,
    `file a read 0 1 3 `,
    `file a read 0 1 3 /etc/passwd`,
    `file a read 0 1 3 ${base64('/x').replace('=', '')}`,
    `file a read 0 1 3 ${base64('/x')} more`,
    `file a read 0 1 3 ${base64('/\0x')}`,
    `file a read 0 1 3 ${base64('/'.repeat(8193))}`,
    `socket a listen 0 1 ${base64('x')}`,
    `socket a connect 0 1 ${base64('x'.repeat(129))}`,
    `socket a connect 0 1`,
  ])('are refused as %j', (line) => {
    expect(() => parseRecorderLine(line)).toThrow(expect.objectContaining({ code: 'protocol' }));
  });
});
