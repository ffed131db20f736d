/** Small filters written by hand, so that porin-init is tested against something other than our own compiler. */
import { type CompiledFilter, type Instruction } from '#lib/profiles';

const RET_ALLOW = 0x7fff0000;
const RET_USER_NOTIF = 0x7fc00000;
const RET_ERRNO = 0x00050000;
export const KILL = 0x80000000;
export const ALLOW = RET_ALLOW;

const ARM = process.arch === 'arm64';
const NATIVE_ARCH = ARM ? 0xc00000b7 : 0xc000003e;

/** The calls that the sandbox tests deny, by number. */
export const NR = ARM
  ? {
      openat: 56,
      mkdirat: 34,
      renameat2: 276,
      getppid: 173,
      socket: 198,
      connect: 203,
      unshare: 97,
      prlimit64: 261,
      execve: 221,
      ptrace: 117,
      getrusage: 165,
      clockGettime: 113,
    }
  : {
      openat: 257,
      mkdirat: 258,
      renameat2: 316,
      getppid: 110,
      socket: 41,
      connect: 42,
      unshare: 272,
      prlimit64: 302,
      execve: 59,
      ptrace: 101,
      getrusage: 98,
      clockGettime: 228,
    };

export const errno = (number: number): number => RET_ERRNO + number;
export const EPERM = errno(1);
export const ENOSYS = errno(38);

export interface SmallFilter {
  /** Calls that are notified, with what porin-init answers to each. */
  readonly denied?: Readonly<Record<number, number>>;
  /** Calls that the kernel answers with an errno, quietly: porin-init never hears of them. */
  readonly quiet?: Readonly<Record<number, number>>;
  /** Answer to foreign architectures, x32 and numbers from 600 on. Default ENOSYS. */
  readonly foreign?: number;
  /** prlimit64 on PID 1 is answered EPERM. Default true. */
  readonly guard?: boolean;
  /** Every call is notified, as for a trace. Default false. */
  readonly notifyAll?: boolean;
}

/** Allows all but what it names, execve apart: the start must not depend on the filter. */
export function smallFilter({
  denied = {},
  quiet = {},
  foreign = ENOSYS,
  guard = true,
  notifyAll = false,
}: SmallFilter): CompiledFilter {
  const numbers = { [NR.execve]: ENOSYS, ...denied };
  return {
    filter: notifyAll
      ? [ret(RET_USER_NOTIF)]
      : program(
          { ...Object.fromEntries(Object.keys(numbers).map((nr) => [nr, RET_USER_NOTIF])), ...quiet },
          RET_USER_NOTIF,
          guard ? RET_USER_NOTIF : RET_ALLOW,
        ),
    answer: program(numbers, foreign, EPERM),
  };
}

function program(values: Readonly<Record<number, number>>, foreign: number, guarded: number): Instruction[] {
  return [
    load(4),
    jumpEqual(NATIVE_ARCH, 1, 0),
    ret(foreign),
    load(0),
    { code: 0x35, jt: 0, jf: 1, k: 600 },
    ret(foreign),
    ...Object.entries(values).flatMap(([nr, value]) => [jumpEqual(Number(nr), 0, 1), ret(value)]),
    jumpEqual(NR.prlimit64, 0, 3),
    load(16),
    jumpEqual(1, 0, 1),
    ret(guarded),
    ret(RET_ALLOW),
  ];
}

const load = (k: number): Instruction => ({ code: 0x20, jt: 0, jf: 0, k });
const jumpEqual = (k: number, jt: number, jf: number): Instruction => ({ code: 0x15, jt, jf, k });
const ret = (k: number): Instruction => ({ code: 0x06, jt: 0, jf: 0, k });
