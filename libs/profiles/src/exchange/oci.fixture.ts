/** For tests of the exchange: what a container runtime decides under an export, what Porin does, and profiles by chance. */
import {
  AUDIT_ARCH,
  SECCOMP_RET_ACTION_FULL,
  SECCOMP_RET_ALLOW,
  SECCOMP_RET_DATA,
  SECCOMP_RET_USER_NOTIF,
} from '../filter/bpf.js';
import { guardOf } from '../filter/guards.js';
import { type CompiledFilter } from '../filter/instruction.js';
import { interpret, type SeccompData } from '../filter/interpret.js';
import { argumentWidth } from '../kernel/argument-widths.js';
import { syscallName, syscallNames, syscallNumber } from '../kernel/syscalls.js';
import { byName, toRules } from '../model/argument-rules.js';
import { COMPARISONS, type Condition, type Hex } from '../model/condition.js';
import { type Architecture, type Profile, type Rule } from '../model/profile.js';
import { type OciArgument } from './oci-arguments.js';
import { OCI_ARCHITECTURE, type OciSeccomp, type OciSyscall } from './oci-format.js';

/** 0 for allowed, else the errno; or the end of the thread. */
export type Decision = number | 'killed';

/** As libseccomp and runc decide. A rule without arguments outranks every other of its call. */
export function decideExport(oci: OciSeccomp, architecture: Architecture, data: SeccompData): Decision {
  if (oci.architectures[0] !== OCI_ARCHITECTURE[architecture]) throw new Error('another architecture');
  if (data.arch !== AUDIT_ARCH[architecture]) return 'killed';
  const number = data.nr >>> 0;
  if (architecture === 'x86_64' && number >= 0x40000000 && number !== 0xffffffff) return 'killed';
  const name = syscallName(architecture, number);
  const rules = rulesByName(oci).get(name ?? '') ?? [];
  const rule =
    rules.find(({ args }) => args === undefined) ??
    rules.find(({ args = [] }) => args.every((argument) => holds(argument, data.args)));
  return rule?.action === 'SCMP_ACT_ALLOW' ? 0 : (rule?.errnoRet ?? oci.defaultErrnoRet);
}

const INDEXES = new WeakMap<OciSeccomp, ReadonlyMap<string, readonly OciSyscall[]>>();

function rulesByName(oci: OciSeccomp): ReadonlyMap<string, readonly OciSyscall[]> {
  const known = INDEXES.get(oci);
  if (known) return known;
  const index = new Map<string, OciSyscall[]>();
  for (const rule of oci.syscalls) {
    for (const name of rule.names) index.set(name, [...(index.get(name) ?? []), rule]);
  }
  INDEXES.set(oci, index);
  return index;
}

/** As libseccomp compares: 64 bits, unsigned. */
function holds({ index, value, valueTwo, op }: OciArgument, args: readonly bigint[]): boolean {
  const [argument, datum] = [args[index] ?? 0n, BigInt(value)];
  switch (op) {
    case 'SCMP_CMP_NE':
      return argument !== datum;
    case 'SCMP_CMP_LT':
      return argument < datum;
    case 'SCMP_CMP_LE':
      return argument <= datum;
    case 'SCMP_CMP_EQ':
      return argument === datum;
    case 'SCMP_CMP_GE':
      return argument >= datum;
    case 'SCMP_CMP_GT':
      return argument > datum;
    case 'SCMP_CMP_MASKED_EQ':
      return (argument & datum) === BigInt(valueTwo);
  }
}

/** As porin-init carries it out. */
export function decideFilter({ filter, answer }: CompiledFilter, data: SeccompData): number {
  const loaded = interpret(filter, data);
  const verdict = loaded === SECCOMP_RET_USER_NOTIF ? interpret(answer, data) : loaded;
  return (verdict & SECCOMP_RET_ACTION_FULL) >>> 0 === SECCOMP_RET_ALLOW ? 0 : verdict & SECCOMP_RET_DATA;
}

export function callOf(architecture: Architecture, name: string, args: readonly bigint[]): SeccompData {
  const nr = syscallNumber(architecture, name) ?? -1;
  return { nr, arch: AUDIT_ARCH[architecture], instructionPointer: 0n, args };
}

/** A seeded linear congruential generator, so that a failure can be repeated. */
export class Chance {
  constructor(private seed: number) {}

  /** 0 to 1, without 1. */
  next(): number {
    this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
    return this.seed / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const EDGES = [0n, 1n, 2n, 8n, 40n, 0x10900n, 0x20008n, 0x7fffffffn, 0x80000000n, 0x7e020000n, 0xffffffffn];
const LONG_EDGES = [1n << 32n, (1n << 32n) + 40n, 1n << 52n, 1n << 53n, (1n << 64n) - 1n];

/** Allows a third of the calls, some with conditions of every kind, and refuses a few quietly. */
export function profileByChance(architecture: Architecture, chance: Chance): Profile {
  const density = chance.next();
  const rules: Rule[] = [];
  for (const name of syscallNames(architecture)) {
    const draw = chance.next();
    if (draw > density) {
      if (chance.next() < 0.1) rules.push({ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: 1 + chance.below(133) });
      continue;
    }
    const scalars = [0, 1, 2, 3, 4, 5].filter((argument) => argumentWidth(name, argument) !== null);
    if (scalars.length === 0 || chance.next() < 0.88) {
      rules.push({ names: [name], action: 'SCMP_ACT_ALLOW' });
      continue;
    }
    for (let alternative = chance.below(3); alternative >= 0; alternative -= 1) {
      const args = Array.from({ length: 1 + chance.below(2) }, () =>
        conditionByChance(name, chance.of(scalars), chance),
      );
      rules.push({ names: [name], action: 'SCMP_ACT_ALLOW', args });
    }
  }
  const quiet = new Map(
    rules.flatMap((rule) => (rule.action === 'SCMP_ACT_ERRNO' ? [[rule.names[0] ?? '', rule.errnoRet] as const] : [])),
  );
  return { version: 1, architecture, rules: toRules(byName(rules), quiet), network: 'none' };
}

function conditionByChance(name: string, argument: number, chance: Chance): Condition {
  const width = argumentWidth(name, argument) ?? 32;
  const all = (1n << BigInt(width)) - 1n;
  const edge = chance.of(width === 32 || chance.next() < 0.8 ? EDGES : [...EDGES, ...LONG_EDGES]);
  const datum = chance.next() < 0.5 ? edge : BigInt(chance.below(2 ** 32));
  const op = chance.of(COMPARISONS);
  if (op === 'SCMP_CMP_MASKED_EQ') {
    const mask = chance.of([0x7n, 0xfffffffen, 0x7e030900n, 0xffffff00n, 1n, datum === 0n ? 2n : datum]);
    return { argument, op, value: hex(datum & mask), mask: hex(mask) };
  }
  // Those at the ends of the range hold always or never, which a profile does not say.
  const value = datum === 0n || datum === all ? 3n : datum;
  return { argument, op, value: hex(value) };
}

export const hex = (value: bigint): Hex => `0x${value.toString(16)}`;

/** Arguments near everything that the profile and the guard of the call test, with and without garbage in the high word. */
export function argumentsByChance(profile: Profile, name: string, chance: Chance): readonly bigint[] {
  const tested = profile.rules
    .filter(({ names }) => names.includes(name))
    .flatMap(({ args = [] }) => args)
    .concat(guardOf(name)?.anyOf.flat() ?? []);
  return Array.from({ length: 6 }, (_, argument) => {
    const data = tested.filter((condition) => condition.argument === argument).map(({ value }) => BigInt(value));
    const near = data.length > 0 && chance.next() < 0.8 ? chance.of(data) : chance.of(EDGES);
    const low = BigInt.asUintN(64, near + chance.of([0n, 0n, 0n, 1n, -1n, 0x40n]));
    return chance.next() < 0.8 ? low : low ^ chance.of([1n << 32n, 0xdeadbeefn << 32n, 1n << 63n]);
  });
}
