import { describe, expect, it } from 'vitest';
import { StraceLines } from './strace-lines.js';

const INIT = 100;

function kept(lines: readonly string[]): string[] {
  const filter = new StraceLines(INIT);
  return lines.flatMap((line) => filter.take(line));
}

describe('the lines of strace', () => {
  it('begin with the execve that executed the payload, and have no call of porin-init', () => {
    expect(
      kept([
        '100   1700000000.000001 epoll_wait(3, [], 1, -1) = 1 <0.000010>',
        '101   1700000000.100000 setsid()     = 101 <0.000010>',
        '101   1700000000.200000 execve("/bin/none", ["none"], 0x7ffe /* 0 vars */) = -1 ENOENT (No such file) <0.000010>',
        '101   1700000000.999999 execve("/bin/true", ["true"], 0x7ffe /* 0 vars */) = 0 <0.000300>',
        '100   1700000001.000000 read(5, "", 1)       = 0 <0.000010>',
        '101   1700000001.000001 brk(NULL)       = 0x55 <0.000010>',
        '102   1700000001.500000 exit_group(0)       = ?',
        '101   1700000001.600000 +++ exited with 0 +++',
      ]),
    ).toEqual([
      '0.000000 101 execve("/bin/true", ["true"], 0x7ffe /* 0 vars */) = 0 <0.000300>',
      '0.000002 101 brk(NULL)       = 0x55 <0.000010>',
      '0.500001 102 exit_group(0)       = ?',
      '0.600001 101 +++ exited with 0 +++',
    ]);
  });

  it('keep both halves of an execve that another call stands between', () => {
    expect(
      kept([
        '101   1700000000.000000 execve("/bin/true", ["true"], 0x7ffe /* 0 vars */ <unfinished ...>',
        '100   1700000000.000100 <... ppoll resumed>) = 1 <0.000010>',
        '101   1700000000.000300 <... execve resumed>) = 0 <0.000300>',
      ]),
    ).toEqual([
      '0.000000 101 execve("/bin/true", ["true"], 0x7ffe /* 0 vars */ <unfinished ...>',
      '0.000300 101 <... execve resumed>) = 0 <0.000300>',
    ]);
  });

  it('are none where nothing was executed, or where strace says something else', () => {
    expect(
      kept([
        '101   1700000000.000000 execve("/bin/x", ["x"], 0x7ffe) = -1 EACCES (Permission denied) <0.000300>',
        'strace: ?',
      ]),
    ).toEqual([]);
  });
});
