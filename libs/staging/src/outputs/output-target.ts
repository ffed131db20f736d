/** Where an output goes, by scheme: its bytes are staged first, and put in place once their manifest is stored. */
import { describePrefixes, JobError, type OutputReference } from '#lib/jobs';
import { type OpenedOutput } from './open-output.js';
import { type OutputLimit } from './output-limit.js';
import { type StagingRules } from '../rules.js';
import { type StoredFile } from '../stored-file.js';

/** One line of the manifest: enough to put the output in place, by this worker or by the next. */
export interface StagedOutput extends OutputReference, StoredFile {
  /** The target's name for the staged bytes. */
  readonly temporary: string;
  /** In the worker that staged it, and never stored: what tells that nobody has changed the bytes since. */
  readonly stamp?: string;
  /** Of an `s3:` URL: the id of the multipart upload that is the staged bytes. */
  readonly upload?: string;
}
/** What staging says of the bytes. */
export type Staged = StoredFile & Pick<StagedOutput, 'stamp' | 'upload'>;

/** Of one job: where the file system says that its outputs are. Two URLs may lead to one file by links, or by its case. */
export class JobFiles {
  /** Directories and names of files that were staged. */
  readonly targets = new Set<string>();
  /** Files that are in place. */
  readonly published = new Set<string>();
}

/** Each of the methods may be repeated. */
export interface OutputTarget {
  /** Copies the output beside its place, at most `limit` bytes of it. Nothing is left when it throws. */
  stage(output: OpenedOutput, temporary: string, limit: OutputLimit, options: TargetOptions): Promise<Staged>;
  /** Resolves too where it is in place already. Throws staged-output-lost, and what no repetition can mend as output-*. */
  publish(staged: StagedOutput, options: TargetOptions): Promise<void>;
  /** Of an output that is in place: tells the files of the job. */
  find(files: JobFiles): Promise<void>;
  /** Removes staged bytes, if there are any. */
  discard(temporary: string): Promise<void>;
}

export interface TargetOptions {
  readonly signal: AbortSignal;
  readonly files: JobFiles;
}

/** Of files that take no other's place. */
export interface OutputPermissions {
  /** Null: those of the worker, or of the directory where it hands its group down. */
  readonly uid: number | null;
  readonly gid: number | null;
  /** Users who may read an output may also execute it, if the payload made it executable. */
  readonly mode: number;
}

/** Of one node, and of the tenant whose job it is. */
export interface OutputPlace {
  readonly rules: StagingRules;
  readonly permissions: OutputPermissions;
  /** Host directory, made when needed, for the bytes of outputs that are sent elsewhere. */
  readonly sendDirectory: string;
  readonly nodeName: string;
}

export function notAllowed({ url }: OutputReference, { outputPrefixes }: StagingRules): JobError {
  return JobError.of('output-not-allowed', { url, detail: describePrefixes(outputPrefixes) });
}

export function refused({ url, path }: OutputReference, detail: string, cause?: unknown): JobError {
  return JobError.of('output-refused', { url, path, detail }, { cause });
}

export function bytesLost({ path }: OutputReference, { nodeName }: OutputPlace): JobError {
  return JobError.of('staged-output-lost', { path, node: nodeName });
}
