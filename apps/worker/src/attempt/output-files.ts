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

/** A file that several outputs select is published once: for the one that names it, else for the first. */
export async function outputFiles(
  { inputs, outputs }: Pick<Claim, 'inputs' | 'outputs'>,
  sourceOf: (output: OutputReference) => OutputSource,
): Promise<OutputFiles> {
  const options = { inputs: new Set(inputs.map(({ path }) => path)), budget: new SelectionBudget() };
  const taken = new Set(outputs.filter((output) => !isSelection(output)).map(({ path }) => path));
  const files: OutputFile[] = [];
  const problems: JobError[] = [];
  for (const [index, output] of outputs.entries()) {
    const selection = await selectFiles(output, sourceOf(output), options);
    problems.push(...selection.problems);
    for (const file of selection.files) {
      if (isSelection(output) && taken.has(file.path)) continue;
      taken.add(file.path);
      files.push({ ...file, output: index });
    }
  }
  problems.push(...clashes(files));
  return { files, problems };
}

/** Where links lead, the file system tells when they are staged. */
function clashes(files: readonly OutputFile[]): readonly JobError[] {
  const places = new Set<string>();
  return files.flatMap(({ url: text, path }) => {
    const { url } = parseDataUrl(text);
    const place = url === null ? text : placeParts(url).join('\0');
    if (!places.has(place)) {
      places.add(place);
      return [];
    }
    return [
      JobError.of('output-refused', { url: text, path, detail: 'another output of the job goes to the same place' }),
    ];
  });
}
