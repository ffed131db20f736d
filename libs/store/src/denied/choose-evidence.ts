/** Chooses which of the runs that were refused calls one proposal is made of, where all of them together make none. */
import { type Recording } from '#lib/profiles';

/** A run, and what it was refused, as if it had been made. */
export interface DeniedRecording {
  readonly executorRunId: string;
  readonly submittedBy: string;
  readonly recording: Recording;
}

/** Tried one by one where no others are a proposal. */
const ALONE_MAXIMUM = 10;

/**
 * Chooses all runs if `isUsable` accepts them together. Otherwise it chooses as many as are usable together, first those of
 * the submitter who asks for least, so that nobody keeps others out by asking for much; of equal submitters the newest first.
 * Keeps their order; empty if no run is usable. Runs that are not chosen wait for a later proposal. Calls `isUsable` about
 * log2(n) + 10 times.
 */
export function chooseEvidence(
  denied: readonly DeniedRecording[],
  isUsable: (chosen: readonly DeniedRecording[]) => boolean,
): readonly DeniedRecording[] {
  if (denied.length === 0 || isUsable(denied)) return denied;
  const ordered = byModesty(denied);
  let usable = 0;
  let beyond = ordered.length;
  while (beyond - usable > 1) {
    const middle = Math.floor((usable + beyond) / 2);
    if (isUsable(ordered.slice(0, middle))) usable = middle;
    else beyond = middle;
  }
  const alone = ordered.slice(0, ALONE_MAXIMUM).find((each) => usable === 0 && isUsable([each]));
  const chosen = new Set(alone ? [alone] : ordered.slice(0, usable));
  return denied.filter((each) => chosen.has(each));
}

function byModesty(denied: readonly DeniedRecording[]): readonly DeniedRecording[] {
  const asked = new Map<string, number>();
  for (const { submittedBy, recording } of denied) {
    asked.set(submittedBy, (asked.get(submittedBy) ?? 0) + weight(recording));
  }
  return denied
    .map((each, index) => ({ each, index, asked: asked.get(each.submittedBy) ?? 0, weight: weight(each.recording) }))
    .sort((a, b) => a.asked - b.asked || a.weight - b.weight || b.index - a.index)
    .map(({ each }) => each);
}

function weight({ calls, refused, files, arguments: uses }: Recording): number {
  return Object.keys(calls).length + Object.keys(refused ?? {}).length + (files?.length ?? 0) + (uses?.length ?? 0);
}
