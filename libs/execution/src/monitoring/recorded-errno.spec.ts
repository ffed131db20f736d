import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { recordedErrno } from './recorded-errno.js';

describe('recordedErrno', () => {
  it('names every errno that this system has as it does', () => {
    const twice = ['EWOULDBLOCK', 'EDEADLOCK', 'ENOTSUP'];
    for (const [name, number] of Object.entries(constants.errno)) {
      if (!twice.includes(name)) expect(recordedErrno(number)).toBe(name);
    }
  });

  it.each([
    [1, 'EPERM'],
    [38, 'ENOSYS'],
    [95, 'EOPNOTSUPP'],
    [133, 'EHWPOISON'],
    [512, 'ERESTARTSYS'],
    [516, 'ERESTART_RESTARTBLOCK'],
    [41, 'E41'],
    [134, 'E134'],
    [4095, 'E4095'],
  ])('names %i %s', (number, name) => {
    expect(recordedErrno(number)).toBe(name);
  });
});
