import { describe, expect, it } from 'vitest';
import { parseCalls } from './calls.js';

const CALLS = ['getppid', 'open+read+close'];

describe('parseCalls', () => {
  it('reads nanoseconds per call', () => {
    expect(parseCalls('getppid 127.4\nopen+read+close 870.0\n', CALLS)).toEqual({
      getppid: 127.4,
      'open+read+close': 870,
    });
  });

  it.each([
    '',
    'getppid 127.4\n',
    'getppid 127.4\nopen+read+close x\n',
    'getppid 0\nopen+read+close 870\n',
    'getppid 127.4\nopen+read+close 870\nstat 300\n',
    'a b\nc d',
  ])('refuses %j', (stdout) => {
    expect(() => parseCalls(stdout, CALLS)).toThrow(/something else/);
  });
});
