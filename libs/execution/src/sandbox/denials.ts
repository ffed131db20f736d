/** Turns what porin-init reports about a denied call into a Denial with words that people can read. */
import { constants } from 'node:os';
import {
  ACCESS_MODES,
  BPF_COMMANDS,
  CLONE_FLAGS,
  flags,
  hex,
  IO_PRIORITY_SCOPES,
  OPEN_FLAGS,
  PRCTL_OPTIONS,
  PRIORITY_SCOPES,
  PROTECTIONS,
  PTRACE_REQUESTS,
  RESOURCES,
  SECCOMP_FILTER_FLAGS,
  SECCOMP_OPERATIONS,
  SOCKET_FAMILIES,
  SOCKET_FLAGS,
  SOCKET_TYPES,
  syscallName,
  UNSHARE_FLAGS,
  word,
} from '#lib/profiles';
import { type Denial } from '../executor-run.js';
import { type PointedTo, type RawDenial } from './control-message.js';
import { describeAddress } from './socket-address.js';

/** A payload chooses what it is denied, and with it this text's length. */
const MAX_DESCRIPTION = 1000;

/** AUDIT_ARCH_*, linux/audit.h. */
const ARCHITECTURES: Readonly<Record<number, string>> = {
  0xc000003e: 'x86_64',
  0x40000003: 'i386',
  0xc00000b7: 'aarch64',
  0x40000028: 'arm',
};
const X32_BIT = 0x40000000;

const ERRNO_NAMES = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** The name of an errno of this system, e.g. ENOENT. */
export function errnoName(errno: number): string {
  // EWOULDBLOCK and EOPNOTSUPP share numbers with EAGAIN and ENOTSUP; everyone says EAGAIN.
  return errno === constants.errno.EAGAIN ? 'EAGAIN' : (ERRNO_NAMES.get(errno) ?? `errno ${errno}`);
}

export function toDenial(raw: RawDenial, count: number): Denial {
  const architecture = architectureOf(raw);
  const native = architecture === 'x86_64' || architecture === 'aarch64';
  const call = (native && syscallName(architecture, raw.number)) || `call ${raw.number}`;
  const described = `${call}(${describeArguments(native ? call : '', raw)})`;
  return {
    call,
    number: raw.number,
    architecture,
    action: raw.action,
    ...(raw.action === 'refused' && { errno: errnoName(raw.errno) }),
    arguments: raw.arguments.map(hex),
    description: native ? bounded(described) : bounded(`${described} of the ${architecture} ABI`),
    count,
  };
}

function architectureOf({ auditArch, number }: RawDenial): string {
  const name = ARCHITECTURES[auditArch] ?? hex(auditArch);
  return name === 'x86_64' && number >= 0 && (number & X32_BIT) !== 0 ? 'x32' : name;
}

/** Never cut within a character: Postgres takes no half of one, and the whole report would be lost. */
function bounded(text: string): string {
  if (text.length <= MAX_DESCRIPTION) return text;
  return `${text.slice(0, MAX_DESCRIPTION - 3).replace(/[\ud800-\udbff]$/, '')}...`;
}

function describePointedTo(pointedTo: PointedTo): string {
  switch (pointedTo.kind) {
    case 'path':
      return JSON.stringify(pointedTo.bytes.toString());
    case 'cut':
      return `${JSON.stringify(pointedTo.bytes.toString())}...`;
    case 'address':
      return describeAddress(pointedTo.bytes);
    case 'unreadable':
      return 'unreadable';
  }
}

function describeArguments(call: string, raw: RawDenial): string {
  const strings = raw.pointedTo.map(describePointedTo);
  return [...strings, ...describeScalars(call, raw.arguments.map(low32))].join(', ');
}

/** Every argument in words here is 32 bits wide, or has nothing but flags in its low word. */
function low32(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

function describeScalars(call: string, args: readonly number[]): string[] {
  const [a = 0, b = 0, c = 0] = args;
  switch (call) {
    case 'socket':
    case 'socketpair': {
      const type = word(SOCKET_TYPES, b & 0xf);
      const rest = b & ~0xf;
      return [word(SOCKET_FAMILIES, a), rest === 0 ? type : `${type}|${flags(SOCKET_FLAGS, rest)}`, String(c)];
    }
    case 'open':
      return [openFlags(b)];
    case 'openat':
      return [openFlags(c)];
    case 'clone':
      return [flags(CLONE_FLAGS, (a & ~0xff) >>> 0)];
    case 'unshare':
      return [flags(UNSHARE_FLAGS, a)];
    case 'setns':
      return [flags(UNSHARE_FLAGS, b)];
    case 'ptrace':
      return [word(PTRACE_REQUESTS, a), `pid ${b | 0}`];
    case 'bpf':
      return [word(BPF_COMMANDS, a)];
    case 'seccomp':
      return [word(SECCOMP_OPERATIONS, a), flags(SECCOMP_FILTER_FLAGS, b)];
    case 'prctl':
      return [word(PRCTL_OPTIONS, a)];
    case 'prlimit64':
      return [`pid ${a | 0}`, word(RESOURCES, b)];
    case 'kill':
    case 'rt_sigqueueinfo':
      return [`pid ${a | 0}`, `signal ${b}`];
    case 'tgkill':
      return [`pid ${a | 0}`, `thread ${b | 0}`, `signal ${c}`];
    case 'setpriority':
      return [word(PRIORITY_SCOPES, a), `of ${b | 0}`];
    case 'ioprio_set':
      return [word(IO_PRIORITY_SCOPES, a), `of ${b | 0}`];
    case 'sched_setaffinity':
    case 'sched_setattr':
    case 'sched_setparam':
    case 'sched_setscheduler':
    case 'process_vm_readv':
    case 'process_vm_writev':
    case 'pidfd_open':
      return [`pid ${a | 0}`];
    case 'personality':
      return [hex(a)];
    case 'mmap':
    case 'mprotect':
      return [c === 0 ? 'PROT_NONE' : flags(PROTECTIONS, c)];
    case 'ioctl':
      return [`request ${hex(b)}`];
    default:
      return [];
  }
}

function openFlags(value: number): string {
  const mode = word(ACCESS_MODES, value & 3);
  const rest = value & ~3;
  return rest === 0 ? mode : `${mode}|${flags(OPEN_FLAGS, rest)}`;
}
