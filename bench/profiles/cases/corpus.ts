/** The corpus of real applications as its file has it: every application's image, command and cases. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from '../../../scripts/setup/paths.js';

export const CORPUS_DIRECTORY = join(ROOT, 'bench/corpus');

/** A first letter `l` is of a case to learn from, `h` of one held out, that the profile has never seen. */
const caseSchema = z.strictObject({
  id: z.string().regex(/^[lh]\d\d$/),
  kind: z.enum(['data', 'option', 'threads', 'error', 'help']),
  command: z.array(z.string()).describe('Follows the command prefix'),
  inputs: z.array(z.string()).default([]).describe('File names, each at /in/<name>'),
  outputs: z.array(z.string()).default([]).describe('Paths in the container'),
  exit: z.union([z.literal(0), z.literal('nonzero'), z.literal('any')]).default(0),
  resources: z.record(z.string(), z.number()).default({}),
});
export type CorpusCase = z.infer<typeof caseSchema>;

const applicationSchema = z.strictObject({
  image: z.enum(['bio', 'java', 'edf']),
  commandPrefix: z.array(z.string()),
  resources: z.record(z.string(), z.number()).default({}),
  cases: z.array(caseSchema),
});

export interface CorpusApplication {
  readonly name: string;
  readonly image: 'bio' | 'java' | 'edf';
  readonly commandPrefix: readonly string[];
  /** In the file's order, as the next ones. */
  readonly learn: readonly CorpusCase[];
  readonly heldOut: readonly CorpusCase[];
}

export function readCorpus(): readonly CorpusApplication[] {
  return parseCorpus(readFileSync(join(CORPUS_DIRECTORY, 'applications.json'), 'utf8'));
}

/** Throws where the text is no corpus. */
export function parseCorpus(text: string): readonly CorpusApplication[] {
  const applications = z.record(z.string(), applicationSchema).parse(JSON.parse(text));
  return Object.entries(applications).map(([name, { image, commandPrefix, resources, cases }]) => {
    const all = cases.map((each) => ({ ...each, resources: { ...resources, ...each.resources } }));
    const ofSet = (letter: string) => all.filter(({ id }) => id.startsWith(letter));
    return { name, image, commandPrefix, learn: ofSet('l'), heldOut: ofSet('h') };
  });
}
