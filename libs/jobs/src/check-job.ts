/** The checks of a job specification that look at paths, and at several of its parts together. */
import { parseDataUrl, placeParts } from './data-url.js';
import { type ExecutorSpecification, type JobSpecification, SPECIFICATION_BOUNDS } from './job-specification.js';

/** What is wrong and where, in the words of the request's JSON ("inputs[2].path"). */
export interface SpecificationProblem {
  readonly at: string;
  readonly message: string;
}

/** What the sandbox mounts itself; a data reference at, below or above one of these would hide it. */
export const RESERVED_PATHS: readonly string[] = ['/proc', '/sys', '/dev', '/run/porin'];
/** Mounted as bounded scratch: files below it may be mounted, it itself may not be replaced. */
const SCRATCH_PATH = '/tmp';

/** Every problem at once, in the order of the specification; empty when there is none. */
export function checkJobSpecification(
  job: Pick<JobSpecification, 'executors' | 'inputs' | 'outputs'>,
): readonly SpecificationProblem[] {
  const references = [
    ...job.inputs.map((input, index) => ({ ...input, at: `inputs[${index}]` })),
    ...job.outputs.map((output, index) => ({ ...output, at: `outputs[${index}]` })),
  ];
  return [
    ...job.executors.flatMap((executor, index) => checkExecutor(executor, `executors[${index}]`)),
    ...job.inputs.flatMap(({ url, content }, index) =>
      (url === undefined) === (content === undefined)
        ? [problem(`inputs[${index}]`, 'needs either url or content')]
        : [],
    ),
    ...references.flatMap(({ url, at }) =>
      url === undefined ? [] : problemsAt(`${at}.url`, parseDataUrl(url).problem),
    ),
    ...job.outputs.flatMap(({ url }, index) => problemsAt(`outputs[${index}].url`, outputSchemeProblem(url))),
    ...outputTargetProblems(job.outputs),
    ...references.flatMap(({ path, at }) => problemsAt(`${at}.path`, mountPathProblem(path))),
    ...job.outputs.flatMap(({ path }, index) => problemsAt(`outputs[${index}].path`, outputDirectoryProblem(path))),
    ...overlaps(references),
    ...repeatedNames(references),
  ];
}

/** Why nothing can be put where the URL, which is well-formed, says; null when it can. */
export function outputSchemeProblem(url: string): string | null {
  return /^drs:/i.test(url) ? 'must not be a drs: URL: its servers only give' : null;
}

/** Why a data reference cannot be mounted at the path; null when it can. */
export function mountPathProblem(path: string): string | null {
  const malformed = absolutePathProblem(path);
  if (malformed !== null) return malformed;
  if (path === SCRATCH_PATH) return `must not replace ${SCRATCH_PATH}`;
  const reserved = RESERVED_PATHS.find((other) => overlap(path, other));
  return reserved === undefined ? null : `must not lie at, below or above ${reserved}`;
}

/** Absolute and normalised: one path has one spelling, so that comparing text compares places. */
export function absolutePathProblem(path: string): string | null {
  if (!/^(\/[^/\0]+)+$/.test(path)) return 'must be an absolute path below / without empty parts or null bytes';
  if (path.split('/').some((part) => part === '.' || part === '..')) return 'must not contain the parts "." or ".."';
  if (Buffer.byteLength(path) > SPECIFICATION_BOUNDS.pathBytes) {
    return `must not be longer than ${SPECIFICATION_BOUNDS.pathBytes} bytes`;
  }
  return null;
}

/** The directory of an output is mounted writable, so it must not be the root or the scratch. */
function outputDirectoryProblem(path: string): string | null {
  const directory = path.slice(0, path.lastIndexOf('/'));
  return directory === '' || directory === SCRATCH_PATH
    ? `must lie in a directory of its own, such as /out, not directly in ${directory || '/'}`
    : null;
}

function checkExecutor(executor: ExecutorSpecification, at: string): readonly SpecificationProblem[] {
  const { application, image, command, workingDirectory } = executor;
  const problems: SpecificationProblem[] = [];
  if ((application === undefined) === (image === undefined))
    problems.push(problem(at, 'needs either application or image'));
  if (image !== undefined && !command[0]) problems.push(problem(`${at}.command`, 'an image needs a command'));
  if (command.some((argument) => argument.includes('\0'))) {
    problems.push(problem(`${at}.command`, 'must not contain null bytes'));
  }
  if (workingDirectory !== undefined && workingDirectory !== '/') {
    problems.push(...problemsAt(`${at}.workingDirectory`, absolutePathProblem(workingDirectory)));
  }
  return problems;
}

interface Reference {
  readonly path: string;
  readonly at: string;
}

/** Every reference that lies at, below or above an earlier one. */
function overlaps(references: readonly Reference[]): readonly SpecificationProblem[] {
  const found = findOverlaps(references.map(({ path }) => path.split('/')));
  return references.flatMap(({ at }, index) => {
    const other = references[found.get(index) ?? -1];
    return other ? [problem(`${at}.path`, `overlaps ${other.at}.path (${other.path})`)] : [];
  });
}

/** Two outputs of one place, whatever their spelling, or one where the other has its directory. */
export function outputTargetProblems(outputs: JobSpecification['outputs']): readonly SpecificationProblem[] {
  const targets = outputs.flatMap(({ url: text }, index) => {
    const { url } = parseDataUrl(text);
    return url === null ? [] : [{ parts: placeParts(url), at: `outputs[${index}].url` }];
  });
  const found = findOverlaps(targets.map(({ parts }) => parts));
  return targets.flatMap(({ parts, at }, index) => {
    const other = targets[found.get(index) ?? -1];
    if (other === undefined) return [];
    // Of two that overlap, the one that has as many parts is the other.
    const isSame = parts.length === other.parts.length;
    return [problem(at, isSame ? `is the target of ${other.at} too` : `lies below or above ${other.at}`)];
  });
}

/**
 * By index, the first of the earlier ones that is the same, lies above or below. Parts have no null byte. Sorted, a place
 * stands right behind those that it lies below: comparing each with each would take seconds for the longest job.
 */
function findOverlaps(places: readonly (readonly string[])[]): ReadonlyMap<number, number> {
  const keys = places.map((parts) => `${parts.join('\0')}\0`);
  const key = (index: number) => keys[index] ?? '';
  const order = [...keys.keys()].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b));
  const found = new Map<number, number>();
  const above: number[] = [];
  for (const index of order) {
    while (above.length > 0 && !key(index).startsWith(key(above.at(-1) ?? 0))) above.pop();
    for (const other of above) {
      const later = Math.max(index, other);
      found.set(later, Math.min(index, other, found.get(later) ?? Infinity));
    }
    above.push(index);
  }
  return found;
}

function repeatedNames(references: readonly { name?: string; at: string }[]): readonly SpecificationProblem[] {
  const first = new Map<string, string>();
  return references.flatMap(({ name, at }) => {
    if (name === undefined) return [];
    const other = first.get(name);
    if (other === undefined) first.set(name, at);
    return other === undefined ? [] : [problem(`${at}.name`, `is the name of ${other} too`)];
  });
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function problem(at: string, message: string): SpecificationProblem {
  return { at, message };
}

function problemsAt(at: string, message: string | null): readonly SpecificationProblem[] {
  return message === null ? [] : [problem(at, message)];
}
