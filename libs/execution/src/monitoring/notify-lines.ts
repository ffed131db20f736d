/** Puts the supervisor's lines of numbers (docs/control-channel.md, "The trace") into the words that people read. */
import {
  ACCESS_MODES,
  type Architecture,
  argumentCount,
  BPF_COMMANDS,
  CLONE_FLAGS,
  flags,
  hex,
  OPEN_FLAGS,
  PRCTL_OPTIONS,
  PROTECTIONS,
  PTRACE_REQUESTS,
  RESOURCES,
  SECCOMP_OPERATIONS,
  SOCKET_FAMILIES,
  SOCKET_FLAGS,
  SOCKET_TYPES,
  syscallName,
  UNSHARE_FLAGS,
  word,
} from '#lib/profiles';
import { describeAddress } from '../sandbox/socket-address.js';

type Words = (value: number) => string;

/** The low words are enough: no argument here is wider, or has more than flags in its low word. */
const SCALARS: Readonly<Record<string, Readonly<Record<number, Words>>>> = {
  socket: { 0: (value) => word(SOCKET_FAMILIES, value), 1: socketType },
  socketpair: { 0: (value) => word(SOCKET_FAMILIES, value), 1: socketType },
  open: { 1: openFlags },
  openat: { 2: openFlags },
  clone: { 0: (value) => flags(CLONE_FLAGS, (value & ~0xff) >>> 0) },
  unshare: { 0: (value) => flags(UNSHARE_FLAGS, value) },
  setns: { 1: (value) => flags(UNSHARE_FLAGS, value) },
  ptrace: { 0: (value) => word(PTRACE_REQUESTS, value) },
  bpf: { 0: (value) => word(BPF_COMMANDS, value) },
  seccomp: { 0: (value) => word(SECCOMP_OPERATIONS, value) },
  prctl: { 0: (value) => word(PRCTL_OPTIONS, value) },
  prlimit64: { 1: (value) => word(RESOURCES, value) },
  mmap: { 2: protection },
  mprotect: { 2: protection },
};

/** linux/fcntl.h, as the low word of a register. */
const AT_FDCWD = 0xffffff9c;
const SMALL = 1024n;

const LINE = /^(\d+\.\d{6}) (\d+) (\d+) ((?:0x[0-9a-f]+ ?){6})((?: ?[a-z]+:[0-5]:\S*)*)$/;

/** `<seconds> <thread> <name>(<arguments>)`. A line that is none of the protocol's is returned as it is. */
export function readableCall(line: string, architecture: Architecture): string {
  const [, seconds = '', thread = '', number, registers = '', pointedTo = ''] = LINE.exec(line) ?? [];
  if (seconds === '') return line;
  const call = syscallName(architecture, Number(number)) ?? `call_${number}`;
  const strings = stringsOf(pointedTo);
  const values = registers.trim().split(' ').map(BigInt).slice(0, argumentCount(call));
  const words = values.map((value, index) => strings.get(index) ?? scalar(call, index, value));
  return `${seconds} ${thread} ${call}(${words.join(', ')})`;
}

function scalar(call: string, index: number, value: bigint): string {
  const low = Number(BigInt.asUintN(32, value));
  const words = SCALARS[call]?.[index];
  if (words) return words(low);
  if (low === AT_FDCWD) return 'AT_FDCWD';
  return value < SMALL ? String(value) : hex(value);
}

/** By argument; `cut` is a path of which only the beginning is known. */
function stringsOf(text: string): ReadonlyMap<number, string> {
  const strings = new Map<number, string>();
  for (const [, kind, argument, value = ''] of text.matchAll(/([a-z]+):([0-5]):(\S*)/g)) {
    const bytes = unescaped(value);
    strings.set(
      Number(argument),
      kind === 'address'
        ? describeAddress(bytes)
        : kind === 'unreadable'
          ? 'unreadable'
          : `${JSON.stringify(bytes.toString())}${kind === 'cut' ? '...' : ''}`,
    );
  }
  return strings;
}

function unescaped(value: string): Buffer {
  return Buffer.from(
    value.replace(/\\x([0-9a-f]{2})/g, (_escape, digits: string) => String.fromCharCode(parseInt(digits, 16))),
    'latin1',
  );
}

function socketType(value: number): string {
  const rest = value & ~0xf;
  return rest === 0 ? word(SOCKET_TYPES, value) : `${word(SOCKET_TYPES, value & 0xf)}|${flags(SOCKET_FLAGS, rest)}`;
}

function openFlags(value: number): string {
  const rest = value & ~3;
  return rest === 0 ? word(ACCESS_MODES, value & 3) : `${word(ACCESS_MODES, value & 3)}|${flags(OPEN_FLAGS, rest)}`;
}

function protection(value: number): string {
  return value === 0 ? 'PROT_NONE' : flags(PROTECTIONS, value);
}
