/** Whether restricted runs wrote the same bytes as watched ones. */
import { type Ended } from './jobs.js';

/** SHA-256 by recording; null where the job published nothing. */
export type OutputDigests = ReadonlyMap<string, string | null>;

export function outputDigests(ended: readonly Ended[]): OutputDigests {
  return new Map(ended.map(({ request, job }) => [request.recording.name, job.outputs[0]?.sha256 ?? null]));
}

export function compareOutputs(
  watched: OutputDigests,
  restricted: OutputDigests,
): { lines: string[]; problems: string[] } {
  const lines: string[] = [];
  const problems: string[] = [];
  for (const [name, before] of watched) {
    const after = restricted.get(name) ?? null;
    const same = before !== null && before === after;
    lines.push(
      `${name}: the two outputs are ${same ? 'identical' : 'NOT identical'} (SHA-256)`,
      `  watched     ${before ?? 'was not written'}`,
      `  restricted  ${after ?? 'was not written'}`,
    );
    if (!same) problems.push(`the outputs for ${name} differ`);
  }
  if (watched.size === 0) problems.push('there were no outputs to compare');
  return { lines, problems };
}
