import { describe, expect, it } from 'vitest';
import { type PointedTo, type RawDenial } from './control-message.js';
import { errnoName, toDenial } from './denials.js';

const X86_64 = 0xc000003e;

function raw(number: number, args: readonly bigint[], changes: Partial<RawDenial> = {}): RawDenial {
  return {
    kind: 'denial',
    id: 0,
    auditArch: X86_64,
    number,
    action: 'refused',
    errno: 1,
    arguments: [...args, ...Array<bigint>(6).fill(0n)].slice(0, 6),
    pointedTo: [],
    ...changes,
  };
}

const path = (text: string, argument = 0): PointedTo => ({ kind: 'path', argument, bytes: Buffer.from(text) });
const address = (...bytes: number[]): PointedTo => ({ kind: 'address', argument: 1, bytes: Buffer.from(bytes) });

describe('toDenial', () => {
  it.each<[RawDenial, string]>([
    [raw(41, [2n, 3n, 1n]), 'socket(AF_INET, SOCK_RAW, 1)'],
    [raw(41, [17n, 0x80803n, 0n]), 'socket(AF_PACKET, SOCK_RAW|SOCK_NONBLOCK|SOCK_CLOEXEC, 0)'],
    [raw(41, [0x1_0000_0002n, 1n, 0n]), 'socket(AF_INET, SOCK_STREAM, 0)'],
    [raw(41, [99n, 9n, 0n]), 'socket(99, 9, 0)'],
    [raw(257, [0n, 0n, 0x80241n], { pointedTo: [path('/a')] }), 'openat("/a", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC)'],
    [raw(59, [], { pointedTo: [path('/bin/sh')] }), 'execve("/bin/sh")'],
    [raw(59, [], { pointedTo: [path('a"\n\u001b[31m')] }), 'execve("a\\"\\u{a}\\u{1b}[31m")'],
    [raw(82, [], { pointedTo: [path('/a', 0), path('/b', 1)] }), 'rename("/a", "/b")'],
    [raw(59, [], { pointedTo: [{ kind: 'cut', argument: 0, bytes: Buffer.from('/a') }] }), 'execve("/a"...)'],
    [raw(59, [], { pointedTo: [{ kind: 'unreadable', argument: 0 }] }), 'execve(unreadable)'],
    [raw(42, [], { pointedTo: [address(2, 0, 0, 80, 10, 0, 0, 1, 0, 0)] }), 'connect(10.0.0.1:80)'],
    [
      raw(42, [], { pointedTo: [address(10, 0, 1, 187, 0, 0, 0, 0, ...Array<number>(15).fill(0), 1)] }),
      'connect([::1]:443)',
    ],
    [raw(42, [], { pointedTo: [address(1, 0, 47, 97, 0, 9, 9)] }), 'connect(unix "/a")'],
    [raw(42, [], { pointedTo: [address(1, 0, 0, 97)] }), 'connect(unix, abstract "a")'],
    [raw(42, [], { pointedTo: [address(16, 0)] }), 'connect(AF_NETLINK)'],
    [raw(42, [], { pointedTo: [address()] }), 'connect(no address)'],
    [raw(56, [0x10000011n]), 'clone(CLONE_NEWUSER)'],
    [raw(272, [0x10020000n]), 'unshare(CLONE_NEWNS|CLONE_NEWUSER)'],
    [raw(272, [0x10000001n]), 'unshare(CLONE_NEWUSER|0x1)'],
    [raw(101, [16n, 1n]), 'ptrace(PTRACE_ATTACH, pid 1)'],
    [raw(321, [5n]), 'bpf(BPF_PROG_LOAD)'],
    [raw(317, [1n, 8n]), 'seccomp(SECCOMP_SET_MODE_FILTER, NEW_LISTENER)'],
    [raw(28, [0x7f00_0000_0000n, 4096n, 9n]), 'madvise(MADV_REMOVE)'],
    [raw(54, [3n, 1n, 33n]), 'setsockopt(SOL_SOCKET, SO_RCVBUFFORCE)'],
    [raw(62, [0xffff_ffff_ffff_ffffn, 9n]), 'kill(pid -1, SIGKILL)'],
    [raw(16, [0n, 0x5412n]), 'ioctl(TIOCSTI)'],
    [raw(3, [3n]), 'close()'],
    [raw(302, [0xffffffffn, 0n]), 'prlimit64(pid -1, RLIMIT_CPU)'],
    [raw(10, [0n, 4096n, 7n]), 'mprotect(PROT_READ|PROT_WRITE|PROT_EXEC)'],
    [raw(110, []), 'getppid()'],
  ])('describes a call in words: %#', (denial, description) => {
    expect(toDenial(denial, 1).description).toBe(description);
  });

  it('names the call, its architecture and errno, and keeps the arguments that it takes as they were', () => {
    expect(toDenial(raw(41, [2n, 0xffffffffffffffffn], { errno: 38 }), 12)).toEqual({
      call: 'socket',
      number: 41,
      architecture: 'x86_64',
      action: 'refused',
      errno: 'ENOSYS',
      arguments: ['0x2', '0xffffffffffffffff', '0x0'],
      description: expect.any(String) as string,
      count: 12,
    });
  });

  it('gives other ABIs’ numbers no native names', () => {
    const i386 = toDenial(raw(41, [], { auditArch: 0x40000003 }), 1);
    expect(i386).toMatchObject({ call: 'call 41', architecture: 'i386', description: 'call 41() of the i386 ABI' });
    expect(i386.arguments).toHaveLength(6);
    const x32 = toDenial(raw(0x40000029, []), 1);
    expect(x32).toMatchObject({ call: 'call 1073741865', architecture: 'x32' });
    expect(toDenial(raw(-1, []), 1)).toMatchObject({ call: 'call -1', architecture: 'x86_64' });
    expect(toDenial(raw(41, [], { auditArch: 0x16 }), 1)).toMatchObject({ architecture: '0x16' });
  });

  it('says nothing of an errno where the call ended the payload', () => {
    expect(toDenial(raw(110, [], { action: 'killed', errno: 0 }), 1)).not.toHaveProperty('errno');
  });

  it('bounds what a payload can make it say', () => {
    expect(toDenial(raw(59, [], { pointedTo: [path('\u0001'.repeat(4096))] }), 1).description).toHaveLength(1000);
  });

  it.each(['', 'x'])('bounds it between characters, after "%s" too', (before) => {
    const { description } = toDenial(raw(59, [], { pointedTo: [path(before + '😀'.repeat(1000))] }), 1);
    expect(Buffer.from(description).toString()).toBe(description);
  });
});

describe('errnoName', () => {
  it('says what everyone says', () => {
    expect([1, 2, 11, 38, 95, 100_000].map(errnoName)).toEqual([
      'EPERM',
      'ENOENT',
      'EAGAIN',
      'ENOSYS',
      'EOPNOTSUPP',
      'errno 100000',
    ]);
  });
});
