/** Rules of a profile from a seccomp document of the OCI runtime specification or of Docker, and what became of the rest. */
import { syscallNumber } from '../kernel/syscalls.js';
import { type Alternative, isUnconditional, toRules } from '../model/argument-rules.js';
import { ProfileError } from '../model/parse-json.js';
import { type Architecture, type Rule } from '../model/profile.js';
import { alternativesOf, type Drop, quietErrno } from './imported-call.js';
import { RUNTIME_ADDED } from './oci-comments.js';
import {
  type DocumentRule,
  type ImportFormat,
  type OciAction,
  type OciDocument,
  parseOciDocument,
} from './oci-document.js';
import { OCI_ARCHITECTURE } from './oci-format.js';
import { whyNotApplied } from './rule-applies.js';

export interface DroppedCalls {
  /** JSON path of the rule. */
  readonly at: string;
  readonly names: readonly string[];
  readonly reason: string;
}

export interface ImportReport {
  readonly format: ImportFormat;
  /** Calls that the rules allow whatever their arguments. */
  readonly allowed: readonly string[];
  /** Calls that they allow with some arguments. */
  readonly conditional: readonly string[];
  /** Calls that they refuse quietly. */
  readonly refused: readonly { readonly name: string; readonly errnoRet: number }[];
  /** What the document says of calls and the rules do not. */
  readonly dropped: readonly DroppedCalls[];
  readonly notes: readonly string[];
}

export interface ImportedRules {
  readonly rules: readonly Rule[];
  readonly report: ImportReport;
}

/** Rules of one call, at most. */
const ALTERNATIVES_MAXIMUM = 1024;
/** Other ABIs of the same machine. */
const BESIDE: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  aarch64: ['SCMP_ARCH_ARM'],
};

/**
 * Never wider than the document in a container without capabilities: what cannot be said is not allowed. Guards hold
 * whatever a profile says, so conditions that they contain are left out.
 * @throws ProfileError malformed, for another architecture, or allowing what it does not name
 */
export function importOci(
  json: unknown,
  options: { readonly architecture: Architecture; readonly format?: ImportFormat },
): ImportedRules {
  const { architecture, format } = options;
  const document = parseOciDocument(json, format);
  const order = new Map(document.rules.map(({ at }, index) => [at, index]));
  requireRefusalByDefault(document.defaultAction);
  const notes = notesOf(document, architecture);
  const dropped = new Map<string, DroppedCalls & { readonly names: string[] }>();
  const drop: Drop = ({ at }, name, reason) => {
    const entry = dropped.get(`${at} ${reason}`) ?? { at, names: [], reason };
    if (!entry.names.includes(name)) entry.names.push(name);
    dropped.set(`${at} ${reason}`, entry);
  };
  const allowed = new Map<string, readonly Alternative[]>();
  const refused = new Map<string, number>();
  for (const [name, rules] of rulesByCall(document, architecture, drop)) {
    const alternatives = alternativesOf(name, rules, drop);
    if (alternatives.length > 0) allowed.set(name, alternatives);
    const errno = quietErrno(name, rules, drop);
    if (errno !== null && !allowed.has(name)) refused.set(name, errno);
  }
  const names = [...allowed.keys()].sort();
  return {
    rules: toRules(allowed, refused),
    report: {
      format: document.format,
      allowed: names.filter((name) => isUnconditional(allowed.get(name) ?? [])),
      conditional: names.filter((name) => !isUnconditional(allowed.get(name) ?? [])),
      refused: [...refused].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, errnoRet]) => ({ name, errnoRet })),
      dropped: [...dropped.values()].sort((a, b) => (order.get(a.at) ?? 0) - (order.get(b.at) ?? 0)),
      notes,
    },
  };
}

function requireRefusalByDefault(action: OciAction): void {
  if (action !== 'SCMP_ACT_ALLOW' && action !== 'SCMP_ACT_LOG') return;
  const problem = `is ${action}: the document lists what it refuses and allows every other call, and a profile lists what it allows`;
  throw new ProfileError('$.defaultAction', problem);
}

function notesOf(
  { defaultAction, architectures, ignored, rules }: OciDocument,
  architecture: Architecture,
): readonly string[] {
  const ours = OCI_ARCHITECTURE[architecture];
  if (architectures.length > 0 && !architectures.includes(ours)) {
    throw new ProfileError('$.architectures', `lacks ${ours}, the architecture of the build`);
  }
  const others = BESIDE[architecture].filter((other) => architectures.includes(other));
  const logged = rules.filter(({ action }) => action === 'SCMP_ACT_LOG').map(({ at }) => at);
  return [
    ...(others.length > 0 ? [`Porin refuses every call of ${others.join(' and ')}.`] : []),
    ...(defaultAction === 'SCMP_ACT_ERRNO' ? [] : [`${defaultAction} by default became a refusal with an errno.`]),
    ...(logged.length === 0
      ? []
      : [
          `SCMP_ACT_LOG lets a call be made, so it was taken for SCMP_ACT_ALLOW at ${logged.join(', ')}: Porin logs no call.`,
        ]),
    ...ignored.map((member) => `"${member}" was not taken: it says nothing about calls.`),
  ];
}

/** What is meant for the architecture, by call. */
function rulesByCall(
  { rules }: OciDocument,
  architecture: Architecture,
  drop: Drop,
): ReadonlyMap<string, readonly DocumentRule[]> {
  const found = new Map<string, DocumentRule[]>();
  for (const rule of rules) {
    const why = rule.comment === RUNTIME_ADDED ? 'it is the container runtime’s' : whyNotApplied(rule, architecture);
    for (const name of rule.names) {
      const of = found.get(name) ?? [];
      if (why !== null) drop(rule, name, why);
      else if (syscallNumber(architecture, name) === undefined) drop(rule, name, `${architecture} has no such call`);
      else if (of.length === ALTERNATIVES_MAXIMUM) {
        throw new ProfileError(rule.at, `is one of more than ${ALTERNATIVES_MAXIMUM} rules of "${name}"`);
      } else {
        of.push(rule);
        found.set(name, of);
      }
    }
  }
  return found;
}
