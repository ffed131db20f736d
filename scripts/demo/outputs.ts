/** Whether audited and restricted runs wrote the same bytes as watched ones. */
import { type Ended } from './jobs.js';

/** SHA-256 by recording; null where the job published nothing. */
export type OutputDigests = ReadonlyMap<string, string | null>;

export function outputDigests(
  ended: readonly Ended<{ readonly recording: { readonly name: string } }>[],
): OutputDigests {
  return new Map(ended.map(({ request, job }) => [request.recording.name, job.outputs[0]?.sha256 ?? null]));
}

/** By a word for how they were made, the first of which says what recordings there are. */
export function compareOutputs(all: Readonly<Record<string, OutputDigests>>): { lines: string[]; problems: string[] } {
  const lines: string[] = [];
  const problems: string[] = [];
  const made = Object.entries(all);
  const names = [...(made[0]?.[1].keys() ?? [])];
  for (const name of names) {
    const digests = made.map(([, digestsOf]) => digestsOf.get(name) ?? null);
    const [first] = digests;
    if (first != null && digests.every((digest) => digest === first)) {
      lines.push(`${name}: the outputs are identical, ${Object.keys(all).join(', ')}: SHA-256 ${first}`);
      continue;
    }
    lines.push(`${name}: the outputs are NOT identical`);
    lines.push(...made.map(([word], index) => `  ${word}  ${digests[index] ?? 'was not written'}`));
    problems.push(`the outputs for ${name} differ`);
  }
  if (names.length === 0) problems.push('there were no outputs to compare');
  return { lines, problems };
}
