/** Opens an input by its scheme, where the prefixes allow it. */
import {
  type DataUrl,
  describePrefixes,
  fileRoots,
  type FileUrl,
  type InputReference,
  isUrlAllowed,
  JobError,
  parseDataUrl,
} from '#lib/jobs';
import { openDrsInput } from '../drs/drs-input.js';
import { type FileInput, openFileInput } from '../file/file-input.js';
import { openHttpInput } from '../http/http-input.js';
import { openS3Input } from '../s3/s3-input.js';
import { type StagingRules } from '../rules.js';
import { openInlineInput } from './inline-input.js';
import { type InputSource } from './input-source.js';

/** Throws JobError (input-*), HttpFailure, DamagedFile, and errors of the network and of the file system. */
export async function openInput(input: InputReference, rules: StagingRules, signal: AbortSignal): Promise<InputSource> {
  if (input.content !== undefined) return openInlineInput(input.content);
  const { text, url } = allowedUrl(input, rules);
  const { path, sha256 } = input;
  if (url.scheme === 'file') return openFileInput(fileInput(url, { text, path }, rules), signal);
  const kept = sha256 === undefined ? undefined : await rules.cache?.open(sha256, signal);
  if (kept) return kept;
  switch (url.scheme) {
    case 's3':
      return openS3Input({ url, text, path, sha256 }, rules, signal);
    case 'drs':
      return openDrsInput({ url, text, path, sha256 }, rules, signal);
    default:
      return openHttpInput({ url: url.url, path, sha256 }, rules, signal);
  }
}

/** Throws input-url-malformed, input-not-allowed. */
export function allowedUrl(
  { url: text = '', path }: Pick<InputReference, 'url' | 'path'>,
  { inputPrefixes: prefixes, foreignPrefixes: foreign }: StagingRules,
): { readonly text: string; readonly url: DataUrl } {
  const { url, problem } = parseDataUrl(text);
  if (problem !== null) throw JobError.of('input-url-malformed', { path, detail: problem });
  if (!isUrlAllowed(text, { prefixes, foreign })) {
    throw JobError.of('input-not-allowed', { url: text, detail: describePrefixes(prefixes) });
  }
  return { text, url };
}

export function fileInput(
  { path: hostPath }: FileUrl,
  { text, path }: { readonly text: string; readonly path: string },
  { inputPrefixes, foreignPrefixes }: StagingRules,
): FileInput {
  return {
    url: text,
    path,
    hostPath,
    roots: { allowed: fileRoots(inputPrefixes), foreign: fileRoots(foreignPrefixes) },
  };
}
