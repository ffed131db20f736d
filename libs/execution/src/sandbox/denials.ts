/** Turns what porin-init reports about a denied call into a Denial with words that people can read. */
import { constants } from 'node:os';
import { argumentCount, describeUse, hex, syscallName } from '#lib/profiles';
import { type Denial } from '../executor-run.js';
import { type RawDenial } from './control-message.js';
import { describePointedTo } from './pointed-to.js';

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
  // Without a name there are no words for the arguments either: an other ABI's are not ours to read.
  const call = (native && syscallName(architecture, raw.number)) || `call ${raw.number}`;
  const values = raw.arguments.slice(0, argumentCount(call));
  const described = describeUse({ call, values, texts: describePointedTo(raw.pointedTo) });
  return {
    call,
    number: raw.number,
    architecture,
    action: raw.action,
    ...(raw.action === 'refused' && { errno: errnoName(raw.errno) }),
    arguments: values.map(hex),
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
