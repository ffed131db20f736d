/** The checks of a job specification that look at paths, and at several of its parts together. */
import { parseDataUrl, placeParts, isArchive } from './data-url.js';
import {
  type ExecutorSpecification,
  type InputReference,
  type JobSpecification,
  type OutputReference,
  SPECIFICATION_BOUNDS,
} from './job-specification.js';
import { isSelection, outputDirectory } from './output-selection.js';
import { pathPattern } from './path-pattern.js';

/** What is wrong and where, in the words of the request's JSON ("inputs[2].path"). */
export interface SpecificationProblem {
  readonly at: string;
  readonly message: string;
}

/** What the sandbox mounts itself; a data reference at, below or above one of these would hide it. */
export const RESERVED_PATHS: readonly string[] = ['/proc', '/sys', '/dev', '/run/porin'];
/** Shared by the executors of every job, and writable: files below it may be mounted, it itself may not be replaced. */
export const SCRATCH_PATH = '/tmp';

/** Every problem at once, in the order of the specification; empty when there is none. */
export function checkJobSpecification(
  job: Pick<JobSpecification, 'executors' | 'inputs' | 'outputs' | 'volumes'>,
): readonly SpecificationProblem[] {
  const references = [
    ...job.inputs.map((input, index) => ({ ...input, at: `inputs[${index}]` })),
    ...job.outputs.map((output, index) => ({ ...output, at: `outputs[${index}]` })),
  ];
  const { volumes = [] } = job;
  const streams = job.executors.flatMap((executor, index) => outputStreams(executor, `executors[${index}]`));
  return [
    ...job.executors.flatMap((executor, index) => checkExecutor(executor, `executors[${index}]`)),
    ...job.inputs.flatMap(({ url, content }, index) =>
      (url === undefined) === (content === undefined)
        ? [problem(`inputs[${index}]`, 'needs either url or content')]
        : [],
    ),
    ...job.inputs.flatMap((input, index) => directoryInputProblems(input, `inputs[${index}]`)),
    ...references.flatMap(({ url, at }) =>
      url === undefined ? [] : problemsAt(`${at}.url`, parseDataUrl(url).problem),
    ),
    ...job.outputs.flatMap(({ url }, index) => problemsAt(`outputs[${index}].url`, outputSchemeProblem(url))),
    ...outputTargetProblems(job.outputs),
    ...job.inputs.flatMap(({ path }, index) => problemsAt(`inputs[${index}].path`, mountPathProblem(path))),
    ...job.outputs.flatMap((output, index) => outputProblems(output, `outputs[${index}]`)),
    ...volumes.flatMap((path, index) => problemsAt(`volumes[${index}]`, directoryProblem(path))),
    ...streams.flatMap(({ path, at }) => problemsAt(at, mountPathProblem(path) ?? fileDirectoryProblem(path))),
    ...job.executors.flatMap(({ stdin, stdout, stderr }, index) => {
      if (stdin === undefined) return [];
      const isOwn = stdin === stdout || stdin === stderr;
      const malformed = isOwn ? 'must not be what the executor itself prints to' : stdinProblem(stdin, job, streams);
      return problemsAt(`executors[${index}].stdin`, malformed);
    }),
    ...overlaps([
      ...job.inputs.map(({ path }, index): Placed => ({ path, at: `inputs[${index}].path`, kind: 'read-only' })),
      ...job.outputs.map((output, index) => placeOfOutput(output, `outputs[${index}].path`)),
      ...volumes.map((path, index): Placed => ({ path, at: `volumes[${index}]`, kind: 'directory' })),
      ...streams,
    ]),
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

function directoryInputProblems({ type, url, content, sha256 }: InputReference, at: string) {
  if (type !== 'DIRECTORY') return [];
  return [
    ...(content === undefined ? [] : [problem(`${at}.content`, 'is no directory')]),
    ...(sha256 === undefined ? [] : [problem(`${at}.sha256`, 'is of one file: a directory has none')]),
    ...(url === undefined || /^(file|s3):/i.test(url) || isArchive(url)
      ? []
      : [problem(`${at}.url`, 'of a directory must be a file: or s3: URL, or of an archive (.tar, .tar.gz, .tgz)')]),
  ];
}

function outputProblems(output: OutputReference, at: string): readonly SpecificationProblem[] {
  const { path, url, pathPrefix } = output;
  if (!isSelection(output)) {
    return problemsAt(`${at}.path`, mountPathProblem(path) ?? fileDirectoryProblem(path) ?? outputLengthProblem(path));
  }
  const urlProblem = url.includes('?')
    ? 'must have no query: the names of files are appended'
    : url.endsWith('/')
      ? 'must not end with "/"'
      : null;
  const malformed = absolutePathProblem(path);
  return [
    ...problemsAt(`${at}.url`, urlProblem),
    ...problemsAt(`${at}.path`, malformed ?? directoryProblem(outputDirectory(output))),
    ...(pathPrefix === undefined ? [] : problemsAt(`${at}.pathPrefix`, pathPrefixProblem(path, pathPrefix))),
  ];
}

function outputLengthProblem(path: string): string | null {
  const { outputPathBytes } = SPECIFICATION_BOUNDS;
  return Buffer.byteLength(path) > outputPathBytes ? `must not be longer than ${outputPathBytes} bytes` : null;
}

function pathPrefixProblem(path: string, prefix: string): string | null {
  if (prefix === '/') return null;
  const { directory } = pathPattern(path);
  const isAbove = directory === prefix || directory.startsWith(`${prefix}/`);
  return absolutePathProblem(prefix) ?? (isAbove ? null : 'must be a directory above the first wildcard of the path');
}

/** A directory of outputs may have inputs and other outputs in it; a pattern takes nothing but what is there. */
function placeOfOutput(output: OutputReference, at: string): Placed {
  return isSelection(output)
    ? { path: outputDirectory(output), at, kind: 'directory' }
    : { path: output.path, at, kind: 'file' };
}

/** Why the directory cannot be mounted writable; null when it can. */
function directoryProblem(path: string): string | null {
  if (path === '/') return 'must lie in a directory of its own, such as /out, not directly in /';
  return path === SCRATCH_PATH ? null : mountPathProblem(path);
}

/** The directory of a file that is written is mounted writable, so it must be neither the root nor what the sandbox mounts. */
function fileDirectoryProblem(path: string): string | null {
  const directory = directoryOf(path);
  return directory === '/' || RESERVED_PATHS.some((other) => overlap(directory, other))
    ? `must lie in a directory of its own, such as /out, not directly in ${directory}`
    : null;
}

/** It is opened outside of the profile's file rules, so it is what the job brought or wrote, and nothing of the image. */
function stdinProblem(
  path: string,
  { inputs, outputs, volumes = [] }: Pick<JobSpecification, 'inputs' | 'outputs' | 'volumes'>,
  streams: readonly Placed[],
): string | null {
  const malformed = absolutePathProblem(path);
  if (malformed !== null) return malformed;
  const written = [...outputs.map(outputDirectory), ...streams.map((stream) => directoryOf(stream.path))];
  const directories = [SCRATCH_PATH, ...volumes, ...written, ...inputs.map((input) => input.path)];
  const isThere =
    inputs.some((input) => input.path === path) || directories.some((each) => path.startsWith(`${each}/`));
  return isThere ? null : `must be an input, or lie in a volume, in the directory of an output or in ${SCRATCH_PATH}`;
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** A job's executors write to what they name, one after another. */
function outputStreams({ stdout, stderr }: ExecutorSpecification, at: string): readonly Placed[] {
  const named = (path: string | undefined, stream: string): readonly Placed[] =>
    path === undefined ? [] : [{ path, at: `${at}.${stream}`, kind: 'stream' }];
  return [...named(stdout, 'stdout'), ...named(stderr, 'stderr')];
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

/** What of a job has a place in its containers. */
interface Placed {
  readonly path: string;
  readonly at: string;
  /** An input; an output; a directory to write to; what an executor prints. */
  readonly kind: 'read-only' | 'file' | 'directory' | 'stream';
}

/** Everything that lies at, below or above an earlier one, and must not. */
function overlaps(placed: readonly Placed[]): readonly SpecificationProblem[] {
  const paths = placed.map(({ path }) => path.split('/'));
  const found = findOverlaps(paths, (lower, upper) => isIn(placed[lower], placed[upper]));
  return placed.flatMap(({ at }, index) => {
    const other = placed[found.get(index) ?? -1];
    return other ? [problem(at, `overlaps ${other.at} (${other.path})`)] : [];
  });
}

/** Whether the one may lie at or below the other. */
function isIn(lower: Placed | undefined, upper: Placed | undefined): boolean {
  if (lower?.path !== upper?.path) return upper?.kind === 'directory';
  if (lower?.kind === 'directory') return upper?.kind === 'directory';
  return lower?.kind === 'stream' && (upper?.kind === 'file' || upper?.kind === 'stream');
}

/**
 * Two outputs of one place, whatever their spelling, or one where the other has its directory. What lies below a directory or
 * pattern may be another output's: which files there are, and whether two of them go to one place, only the payload's end tells.
 */
export function outputTargetProblems(outputs: JobSpecification['outputs']): readonly SpecificationProblem[] {
  const isFile = outputs.map((output) => !isSelection(output));
  const targets = outputs.flatMap(({ url: text }, index) => {
    const { url } = parseDataUrl(text);
    return url === null ? [] : [{ parts: placeParts(url), at: `outputs[${index}].url`, isFile: isFile[index] }];
  });
  const mayBe = (lower: number, upper: number) => {
    const [below, above] = [targets[lower], targets[upper]];
    if (above?.isFile !== false) return false;
    return below?.isFile === false || below?.parts.length !== above.parts.length;
  };
  const found = findOverlaps(
    targets.map(({ parts }) => parts),
    mayBe,
  );
  return targets.flatMap(({ parts, at }, index) => {
    const other = targets[found.get(index) ?? -1];
    if (other === undefined) return [];
    // Of two that overlap, the one that has as many parts is the other.
    const isSame = parts.length === other.parts.length;
    return [problem(at, isSame ? `is the target of ${other.at} too` : `lies below or above ${other.at}`)];
  });
}

/**
 * By index, the first of the earlier ones that is the same, lies above or below, unless `mayBe` says of the lower and the upper
 * one that it may. Parts have no null byte. Sorted, a place stands right behind those that it lies below: comparing each with
 * each would take seconds for the longest job.
 */
function findOverlaps(
  places: readonly (readonly string[])[],
  mayBe: (lower: number, upper: number) => boolean = () => false,
): ReadonlyMap<number, number> {
  const keys = places.map((parts) => `${parts.join('\0')}\0`);
  const key = (index: number) => keys[index] ?? '';
  const order = [...keys.keys()].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b));
  const found = new Map<number, number>();
  const above: number[] = [];
  for (const index of order) {
    while (above.length > 0 && !key(index).startsWith(key(above.at(-1) ?? 0))) above.pop();
    for (const other of above) {
      if (mayBe(index, other)) continue;
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
