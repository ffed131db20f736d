/** What recordings say beyond the rules, for the same review: network, processes, and the files of a stripped image. */
import { visible } from '../kernel/visible-text.js';
import { type Recording, type SocketUse } from '../model/recording.js';
import { keptFiles } from './kept-files.js';
import { proposedPids } from './learn-files.js';
import { isExpressible, successfulUses } from './needs.js';

export interface NetworkDerivation {
  /** Whether something was addressed that no container without a network has. */
  readonly needed: boolean;
  /** A sentence for the reviewer. */
  readonly evidence: string;
  /** "connect 10.0.0.1:80 (ENETUNREACH) in 2 of 3", sorted. */
  readonly attempts: readonly string[];
}

export interface Derivations {
  /** Recordings of monitoring `files`, which `network`, `keptFiles` and `beyondRules` are about. */
  readonly recordings: number;
  /** Null without such a recording; so is `keptFiles`. */
  readonly network: NetworkDerivation | null;
  /** Null where no recording counted processes. `peak`: processes and threads alive at once, at most. */
  readonly pids: { readonly peak: number; readonly proposed: number } | null;
  /** See keptFiles for the whole list; `sample`: the first of it. */
  readonly keptFiles: { readonly count: number; readonly sample: readonly string[] } | null;
  /** "write /proc/12/comm": what succeeded and no file rule can say, so that it will be refused. Sorted. */
  readonly beyondRules: readonly string[];
}

const SAMPLE = 20;
const IP_FAMILIES: readonly string[] = ['AF_INET', 'AF_INET6'];
/** Every container has these, the unspecified address included, which means this machine when connected to. */
const OWN_ADDRESSES = /^(?:127\.|0\.0\.0\.0:|\[::1?\]:|\[::ffff:127\.)/i;

export function derivations(recordings: readonly Recording[]): Derivations {
  const withFiles = recordings.filter(({ files }) => files !== undefined);
  const peak = Math.max(0, ...recordings.map(({ peakTasks }) => peakTasks ?? 0));
  const kept = keptFiles(withFiles);
  return {
    recordings: withFiles.length,
    network: withFiles.length === 0 ? null : networkOf(withFiles),
    pids: peak === 0 ? null : { peak, proposed: proposedPids(peak) },
    keptFiles: withFiles.length === 0 ? null : { count: kept.length, sample: kept.slice(0, SAMPLE).map(visible) },
    beyondRules: beyondRules(withFiles),
  };
}

function networkOf(recordings: readonly Recording[]): NetworkDerivation {
  const seenIn = new Map<string, number>();
  for (const { sockets } of recordings) {
    const attempts = new Set((sockets ?? []).filter(leavesTheContainer).map(attemptOf));
    for (const attempt of attempts) seenIn.set(attempt, (seenIn.get(attempt) ?? 0) + 1);
  }
  const of = recordings.length;
  const attempts = [...seenIn].map(([attempt, count]) => `${attempt} in ${count} of ${of}`).sort();
  const needed = attempts.length > 0;
  const evidence = needed
    ? `addresses outside of the container were tried in ${recordingsOf(of)}`
    : `nothing was connected to outside of the container in ${recordingsOf(of)}`;
  return { needed, evidence, attempts };
}

function leavesTheContainer({ operation, family, address }: SocketUse): boolean {
  return operation !== 'bind' && IP_FAMILIES.includes(family) && !OWN_ADDRESSES.test(address);
}

function attemptOf({ operation, address, result }: SocketUse): string {
  return `${operation} ${visible(address)}${result === 'ok' ? '' : ` (${result})`}`;
}

function recordingsOf(count: number): string {
  return count === 1 ? '1 recording' : `${count} recordings`;
}

function beyondRules(recordings: readonly Recording[]): readonly string[] {
  const uses = recordings.flatMap(successfulUses).filter((use) => !isExpressible(use));
  return [...new Set(uses.map(({ access, path }) => `${access} ${visible(path)}`))].sort();
}
