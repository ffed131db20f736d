import { describe, expect, it } from 'vitest';
import { readableCall } from './notify-lines.js';

const ROWS: readonly (readonly [line: string, readable: string])[] = [
  ['0.000012 7 39 0x1 0x2 0x3 0x4 0x5 0x6', '0.000012 7 getpid()'],
  ['1.000000 7 0 0x3 0x7ffe00001000 0x200 0x0 0x9 0x9', '1.000000 7 read(3, 0x7ffe00001000, 512)'],
  [
    '0.100000 8 257 0xffffff9c 0x7ffe 0x80000 0x0 0x0 0x0 path:1:/etc/pass\\x20wd\\x5c',
    '0.100000 8 openat(AT_FDCWD, "/etc/pass wd\\\\", O_RDONLY|O_CLOEXEC, 0)',
  ],
  ['0.200000 8 82 0x1 0x2 0x0 0x0 0x0 0x0 cut:0:/aa unreadable:1:', '0.200000 8 rename("/aa"..., unreadable)'],
  ['0.300000 8 41 0x2 0x80003 0x11 0x0 0x0 0x0', '0.300000 8 socket(AF_INET, SOCK_RAW|SOCK_CLOEXEC, 17)'],
  [
    '0.400000 8 42 0x3 0x7ffe 0x10 0x0 0x0 0x0 address:1:\\x02\\x00\\x00\\x50\\x7f\\x00\\x00\\x01',
    '0.400000 8 connect(3, 127.0.0.1:80, 16)',
  ],
  [
    '0.500000 8 9 0x0 0x1000 0x5 0x22 0xffffffffffffffff 0x0',
    '0.500000 8 mmap(0, 0x1000, PROT_READ|PROT_EXEC, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)',
  ],
  ['0.600000 8 9999 0x0 0x0 0x0 0x0 0x0 0x1', '0.600000 8 call_9999(0, 0, 0, 0, 0, 1)'],
  ['0.700000 8 2 0x7ffe 0x241 0x1b6 0x0 0x0 0x0 path:0:', '0.700000 8 open("", O_WRONLY|O_CREAT|O_TRUNC, 0666)'],
  [
    '0.800000 8 202 0x7ffe0000 0x80 0x2 0x0 0x0 0x0',
    '0.800000 8 futex(0x7ffe0000, FUTEX_WAIT|FUTEX_PRIVATE_FLAG, 2, 0, 0, 0)',
  ],
  ['0.900000 8 62 0x9 0xf 0x0 0x0 0x0 0x0', '0.900000 8 kill(pid 9, SIGTERM)'],
];

describe('a line of the notification trace', () => {
  it.each(ROWS)('%s is read as a call', (line, readable) => {
    expect(readableCall(line, 'x86_64')).toBe(readable);
  });

  it('is kept as it is when it is none', () => {
    expect(readableCall('something else', 'x86_64')).toBe('something else');
  });
});
