/** Whether a node is well, and whether a probe of it is due: a pure function of what is known of it. Times are milliseconds of one clock. */

/** What ended on the node that may have been the node's fault. */
export interface NodeFailure {
  readonly applicationId: string;
  readonly atMs: number;
  /** Jobs of the application failed in this way on another node too: it says little of either node. */
  readonly isElsewhere: boolean;
  /** A job that began there later has ended well. */
  readonly isOutlived: boolean;
}

export interface NodeRecord {
  /** It reports, and what it says of itself is signed by its key. */
  readonly isAlive: boolean;
  /** It takes jobs, as far as it says itself. */
  readonly isReady: boolean;
  readonly startedAtMs: number;
  /** What it says that keeps it from working. */
  readonly ailment: string | null;
  /** The verdict until now; null: it is well. */
  readonly suspectReason: string | null;
  /** The last failure there, of whatever job. */
  readonly failedAtMs: number | null;
  /** Of an application each, within the window. */
  readonly failures: readonly NodeFailure[];
  /** When the last probe was asked for, and when one was judged last. */
  readonly askedAtMs: number | null;
  readonly probedAtMs: number | null;
  /** When the last one that succeeded was asked for. */
  readonly provedAtMs: number | null;
  /** Probes that failed since then. */
  readonly failedProbes: number;
  /** To the last probe; null while there is none. `problem`: null where it succeeded. */
  readonly answer: { readonly problem: string | null } | null;
}

export interface NodeVerdict {
  /** Null: it is well. */
  readonly suspectReason: string | null;
  /** What became of the probe that was open; null where none was, or it is open still. */
  readonly probe: 'succeeded' | 'failed' | null;
  readonly asksForProbe: boolean;
}

/** A single application may fail by its own fault, wherever it runs. */
const APPLICATIONS = 2;
/** A worker gives a probe up before. */
export const PROBE_PATIENCE_MS = 60_000;
/** Between two probes, whatever happens; of a suspect node, doubled with each that fails. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

export function nodeVerdict(node: NodeRecord, nowMs: number): NodeVerdict {
  const probe = judgeProbe(node, nowMs);
  const suspectReason = suspicion(node, probe);
  return { suspectReason, probe, asksForProbe: isProbeDue({ ...node, suspectReason }, probe, nowMs) };
}

function isOpen({ askedAtMs, probedAtMs }: NodeRecord): boolean {
  return askedAtMs !== null && askedAtMs > (probedAtMs ?? -Infinity);
}

/** A node that does not report is not judged: what it says when it comes back counts. */
function judgeProbe(node: NodeRecord, nowMs: number): NodeVerdict['probe'] {
  if (!isOpen(node)) return null;
  if (node.answer) return node.answer.problem === null ? 'succeeded' : 'failed';
  const isLate = nowMs - (node.askedAtMs ?? nowMs) > PROBE_PATIENCE_MS;
  return isLate && node.isAlive ? 'failed' : null;
}

/** Only a probe that succeeded ends it, and then not while the node itself says what ails it. */
function suspicion(node: NodeRecord, probe: NodeVerdict['probe']): string | null {
  if (node.ailment !== null) return node.ailment;
  if (probe === 'failed') return `A probe failed: ${node.answer?.problem ?? 'it was not answered in time.'}`;
  const provedAtMs = (probe === 'succeeded' ? node.askedAtMs : node.provedAtMs) ?? -Infinity;
  const own = node.failures.filter((one) => one.atMs > provedAtMs && !one.isElsewhere && !one.isOutlived);
  const applications = new Set(own.map(({ applicationId }) => applicationId)).size;
  if (applications >= APPLICATIONS) {
    return `Jobs of ${applications} applications failed there, as it seems by the fault of the node.`;
  }
  return probe === 'succeeded' ? null : node.suspectReason;
}

function isProbeDue(node: NodeRecord, judged: NodeVerdict['probe'], nowMs: number): boolean {
  if (!node.isAlive || (isOpen(node) && judged === null)) return false;
  const askedAtMs = node.askedAtMs ?? -Infinity;
  if (askedAtMs < node.startedAtMs) return true;
  // Its first probe comes before it is ready; a node that says what ails it would fail the probe, too.
  if (!node.isReady || node.ailment !== null) return false;
  const failedProbes = judged === 'failed' ? node.failedProbes + 1 : judged === 'succeeded' ? 0 : node.failedProbes;
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(0, failedProbes - 1), LONGEST_PAUSE_MS);
  if (nowMs - askedAtMs < pauseMs) return false;
  const provedAtMs = (judged === 'succeeded' ? node.askedAtMs : node.provedAtMs) ?? -Infinity;
  return node.suspectReason !== null || (node.failedAtMs ?? -Infinity) > provedAtMs;
}
