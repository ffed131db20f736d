/**
 * The seccomp profile given to the container engine while porin-init loads the real filter. An engine's ERRNO outranks a
 * user notification and would hide denials, so it refuses only what no filter on a call's name can: arguments.
 */
import { type Architecture } from '#lib/profiles';

interface EngineRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ERRNO';
  readonly errnoRet: number;
  readonly args?: readonly {
    readonly index: number;
    readonly value: number;
    readonly valueTwo: number;
    readonly op: 'SCMP_CMP_MASKED_EQ';
  }[];
}

/** The OCI runtime specification's linux.seccomp, as `--security-opt seccomp=` takes it. */
export interface EngineSeccomp {
  readonly defaultAction: 'SCMP_ACT_ALLOW';
  readonly architectures: readonly string[];
  readonly syscalls: readonly EngineRule[];
}

const EPERM = 1;
const ENOSYS = 38;

/** All architectures a kernel runs calls of: one left out is killed by libseccomp before porin-init can report it. */
const ARCHITECTURES: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  aarch64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
};

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h); clone has no CLONE_NEWTIME. */
const NAMESPACE_FLAGS = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];

/** Bits that personality(2) may set: PER_LINUX32 and UNAME26, as in Docker's default profile. */
const PERSONALITY_BITS = 0x20008;
const PERSONALITY_QUERY = 0xffffffff;

/** `argument & mask == value`; the mask keeps garbage in the high word out of it. */
function refuse(name: string, mask: number, value: number): EngineRule {
  return {
    names: [name],
    action: 'SCMP_ACT_ERRNO',
    errnoRet: EPERM,
    args: [{ index: 0, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' }],
  };
}

/**
 * Every personality but 0, 8, 0x20000, 0x20008 and the query. Rules of a call are alternatives with one comparison each,
 * so the set is written as such: a value whose forbidden bits are neither all clear nor all set has a set one followed,
 * in a cycle over them, by a clear one; those with all set are four, of which the query is allowed.
 */
function personalityRules(): EngineRule[] {
  const forbidden = Array.from({ length: 32 }, (_, bit) => 2 ** bit).filter((bit) => (bit & PERSONALITY_BITS) === 0);
  const mixed = forbidden.map((bit, index) => {
    const next = forbidden[(index + 1) % forbidden.length] ?? 0;
    return refuse('personality', bit + next, bit);
  });
  const nearQuery = [0x8, 0x20000, 0x20008].map((bits) =>
    refuse('personality', PERSONALITY_QUERY, PERSONALITY_QUERY - bits),
  );
  return [...mixed, ...nearQuery];
}

export function engineSeccomp(architecture: Architecture): EngineSeccomp {
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ARCHITECTURES[architecture],
    syscalls: [
      ...NAMESPACE_FLAGS.map((flag) => refuse('clone', flag, flag)),
      ...personalityRules(),
      // Its flags are in memory, where no filter can see them. ENOSYS makes libc fall back to clone.
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
    ],
  };
}
