/** The files that an attempt publishes: each of its job's outputs, or what a directory or pattern of them has turned out to be. */
import { isSelection, JobError, type OutputReference, parseDataUrl, placeParts } from '#lib/jobs';
import { type OutputSource, SelectionBudget, type SelectedFile, selectFiles } from '#lib/staging';
import { type Claim } from './claim.js';

export interface OutputFile extends SelectedFile {
  /** Place of its output among those of the job. */
  readonly output: number;
}

export interface OutputFiles {
  readonly files: readonly OutputFile[];
  /** Why what is there is not among them, or what is not there. */
  readonly problems: readonly JobError[];
}

/**
 * Every output has its own copy of a file that several select. Where they would put it at one URL, it is there once: of the
 * output that names it, else of the first. Where links lead, the file system tells when the files are staged.
 */
export async function outputFiles(
  { inputs, outputs }: Pick<Claim, 'inputs' | 'outputs'>,
  sourceOf: (output: OutputReference) => OutputSource,
): Promise<OutputFiles> {
  const options = { inputs: new Set(inputs.map(({ path }) => path)), budget: new SelectionBudget() };
  const files: OutputFile[] = [];
  const problems: JobError[] = [];
  const byPlace = new Map<string, SelectedFile>();
  for (const [index, output] of namedFirst(outputs)) {
    const selection = await selectFiles(output, sourceOf(output), options);
    problems.push(...selection.problems);
    for (const file of selection.files) {
      const place = placeOf(file);
      const other = byPlace.get(place);
      if (other === undefined) {
        byPlace.set(place, file);
        files.push({ ...file, output: index });
      } else if (other.path !== file.path || other.url !== file.url) {
        problems.push(clash(file));
      }
    }
  }
  return { files, problems };
}

function namedFirst(outputs: readonly OutputReference[]): readonly (readonly [number, OutputReference])[] {
  const all = [...outputs.entries()];
  return [...all.filter(([, output]) => !isSelection(output)), ...all.filter(([, output]) => isSelection(output))];
}

function placeOf({ url: text }: SelectedFile): string {
  const { url } = parseDataUrl(text);
  return url === null ? text : placeParts(url).join('\0');
}

function clash({ url, path }: SelectedFile): JobError {
  return JobError.of('output-refused', { url, path, detail: 'another output of the job goes to the same place' });
}
