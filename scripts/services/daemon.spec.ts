import { describe, expect, it } from 'vitest';
import { isOurs } from './daemon.js';

const proc = (stat: string, cmdline: string) => (_pid: number, file: string) => (file === 'stat' ? stat : cmdline);
const record = { pid: 7, mark: '/srv/porin/.porin/stack' };

describe('trust in a remembered pid', () => {
  it.each([
    ['our running process', proc('7 (redis) S 1', 'redis-server\0/srv/porin/.porin/stack/redis.conf'), true],
    ['a zombie of ours', proc('7 (redis) Z 1', ''), false],
    ['a stranger that got the same pid', proc('7 (sshd) S 1', 'sshd: root'), false],
    ['a name that looks like a state', proc('7 (a) Z b) S 1', '/srv/porin/.porin/stack'), true],
  ])('%s', (_name, read, expected) => {
    expect(isOurs(record, read)).toBe(expected);
  });

  it('does not trust a pid that is gone', () => {
    expect(
      isOurs(record, () => {
        throw new Error('ENOENT');
      }),
    ).toBe(false);
  });
});
