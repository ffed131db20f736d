/**
 * Every way a job or a message can go wrong: whose fault, how the job ends, whether to try again, and the words. Codes that
 * refuse requests too are here and nowhere else; their HTTP status is in apps/api/src/errors/porin-error.ts.
 */
import { type FinalJobState } from './job-state.js';

export interface CatalogueEntry {
  /** Who must act: the payload's author, the submitter, or we who run the grid. */
  readonly fault: 'payload' | 'submitter' | 'system';
  /** How the job ends when no attempt is left; null when no job ends by it. */
  readonly finalState: FinalJobState | null;
  /** Whether another attempt may end differently. */
  readonly retryable: boolean;
  /** Whether it may be the node's own fault: then the job is tried on another node first, at no cost to it. */
  readonly mayBeNode: boolean;
  /** `{name}` stands for a detail. */
  readonly message: string;
}

const payload = <const M extends string>(message: M) =>
  ({ fault: 'payload', finalState: 'EXECUTOR_ERROR', retryable: false, mayBeNode: false, message }) as const;
const submitter = <const M extends string>(message: M) =>
  ({ fault: 'submitter', finalState: 'EXECUTOR_ERROR', retryable: false, mayBeNode: false, message }) as const;
/** Ours, and likely to be gone at the next attempt. */
const transient = <const M extends string>(message: M) =>
  ({ fault: 'system', finalState: 'SYSTEM_ERROR', retryable: true, mayBeNode: false, message }) as const;
/** Ours, and likely to be gone on another node. */
const nodes = <const M extends string>(message: M) => ({ ...transient(message), mayBeNode: true }) as const;
/** Ours, and the same at every attempt until an administrator acts. */
const standing = <const M extends string>(message: M) =>
  ({ fault: 'system', finalState: 'SYSTEM_ERROR', retryable: false, mayBeNode: false, message }) as const;

export const ERROR_CATALOGUE = {
  // Image
  'image-invalid': submitter('The image {image} is not a valid image reference: {detail}'),
  'image-not-allowed': submitter('The image {image} may not be run here: {detail}'),
  'image-not-found': submitter('The image {image} was not found: {detail}'),
  'image-not-on-node': {
    ...submitter('The image {image} is not on the node that was to run it: {detail}'),
    mayBeNode: true,
  },
  'image-pull-failed': nodes('The image {image} could not be fetched: {detail}'),
  'build-mismatch': submitter(
    'The image {image} is not the build that the job is bound to: {detail} Nothing was run. Submit the job again.',
  ),
  'image-too-large': submitter('The image {image} is too large: {detail}'),
  'image-unusable': submitter('No container can be made of the image {image}: {detail}'),
  'image-architecture': submitter('The image {image} is for {imageArchitecture}, the job is for {architecture}.'),

  // Inputs
  'input-not-found': submitter('The input {url} for {path} does not exist.'),
  'input-not-regular': submitter('The input {url} for {path} is not a regular file.'),
  'input-directory': submitter('The directory {url} for {path} cannot be an input: {detail}.'),
  'input-outside-roots': submitter(
    'The input {url} for {path} leads outside the directories that inputs may come from.',
  ),
  'input-url-malformed': submitter('The URL of the input for {path} {detail}.'),
  'input-not-allowed': submitter('Inputs may not come from {url}. {detail}'),
  'input-address-refused': submitter(
    'The input {url} leads to {address}, a private, loopback or link-local address, which is refused here.',
  ),
  'input-too-large': submitter('The input {url} for {path} is larger than {limitBytes} bytes.'),
  'inputs-too-large': submitter(
    'The inputs do not fit: with {url} for {path} they have at least {bytes} bytes together, and all inputs of a job may have {limitBytes}.',
  ),
  'input-checksum-mismatch': submitter('The input {url} for {path} has the SHA-256 {actual}, not {expected}.'),
  'input-refused': submitter('The server refused the input {url} for {path}: {detail}.'),
  'input-fetch-failed': nodes('The input {url} for {path} could not be fetched: {detail}'),

  // Outputs
  'output-missing': payload('The payload ended without writing the output {path}.'),
  'output-is-link': payload('The output {path} is a symbolic link, which is never followed. Write the file itself.'),
  'output-not-regular': payload('The output {path} is a {type}. Only regular files are published.'),
  'output-outside': payload('The output {path} leads outside the output directory.'),
  'output-too-large': payload(
    'The output {path} does not fit: outputs together may have as many bytes as the disk of the job, {limitBytes}. Holes, further names of a file and its copies for other outputs count.',
  ),
  'output-unpublishable': payload('The output {path} cannot be published: {detail}.'),
  'output-url-malformed': submitter('The URL of the output {path} {detail}.'),
  'output-not-allowed': submitter('Outputs may not go to {url}. {detail}'),
  'output-address-refused': submitter(
    'The output {url} leads to {address}, a private, loopback or link-local address, which is refused here.',
  ),
  'output-refused': submitter('The output {path} was refused at {url}: {detail}.'),
  'output-upload-failed': nodes('The output {path} could not be uploaded to {url}: {detail}'),
  'staged-output-lost': standing('The staged bytes of the output {path} are not on node {node}.'),
  'publication-incomplete': standing('Not all outputs could be put in place. {detail} In place: {published}.'),

  // The container
  'policy-invalid': submitter('The job cannot be started as it is: {detail}'),

  // The payload's own end
  'exit-code': payload('The payload ended with exit code {exitCode}.'),
  'killed-by-signal': payload('The payload was killed by signal {signal}.'),
  'out-of-memory': payload('The payload needed more than its {limitBytes} bytes of memory and was killed.'),
  'command-not-found': payload('The command {command} does not exist in the image.'),
  'command-not-executable': payload('The command {command} cannot be executed: {errno}.'),
  'unsupported-abi': payload(
    'The program {program} cannot run here: it was built for 32-bit computers ({abi}), and this grid runs 64-bit programs only. Ask for a 64-bit build of it, or choose an image that has one.',
  ),
  'working-directory': payload('The working directory {directory} cannot be entered: {errno}.'),
  'standard-input': payload('The standard input {path} cannot be read: {detail}.'),
  'standard-output': payload('What the payload prints cannot be written to {path}: {detail}.'),
  'process-limit': payload('The payload reached its limit of {limit} processes and threads.'),
  'disk-limit': payload('The payload wrote more than its {limitBytes} bytes of disk and was stopped.'),
  'wall-time-exceeded': payload('The payload was stopped after its wall time of {limitS} s.'),
  'log-limit': {
    fault: 'payload',
    finalState: null,
    retryable: false,
    mayBeNode: false,
    message: 'The log of {stream} was cut: {limitBytes} bytes were kept and {droppedBytes} dropped.',
  },

  // Profiles and levels
  // selectLevel words these five.
  'profile-required': submitter('{detail}'),
  'audit-needs-profile': submitter('{detail}'),
  'level-not-allowed': submitter('{detail}'),
  'level-impossible': submitter('{detail}'),
  'monitoring-unavailable': nodes('{detail}'),
  'landlock-unavailable': nodes('The profile demands more of Landlock than node {node} gives: {detail}'),
  'too-many-places': submitter('{detail}'),
  'profile-integrity': {
    ...standing('The stored profile or its approval cannot be trusted: {detail}'),
    mayBeNode: true,
  },
  'profile-signature': {
    ...standing(
      'The approval of profile version {profileVersion} does not verify against the configured key. Nothing was run.',
    ),
    mayBeNode: true,
  },
  'profile-uncompilable': standing('No filter can be made of {profile}: {detail}. No job can run under it.'),
  denied: payload('The payload made calls that its profile does not allow, and nothing was published: {detail}'),
  'denial-storm': payload(
    'The payload was stopped because it repeated a call that its profile does not allow: {detail}',
  ),
  'content-unknown': submitter('{detail}'),
  'profile-revoked': transient('The profile version {profileVersion} was revoked before the payload started.'),

  // The machinery
  'forged-message': {
    fault: 'system',
    finalState: null,
    retryable: false,
    mayBeNode: false,
    message: 'A message for job {job}, attempt {attempt}, matches no attempt that may be claimed. It was dropped.',
  },
  'resources-unavailable': submitter('No node has the {resource} that the job asks for: {detail}.'),
  'secret-not-opened': nodes('The secret {secret} could not be opened on node {node}: {detail}'),
  'control-channel': nodes('porin-init did not keep to its protocol: {detail}'),
  'engine-error': nodes('The container engine of node {node} failed: {detail}'),
  'recorder-lost': nodes('The recorder of node {node} failed while it was needed: {detail}'),
  'lease-lost': nodes('The worker on node {node} stopped renewing its lease.'),
  'node-draining': transient('The node {node} was taken out of service.'),
  'database-away': transient('The database could not be written to: {detail}'),
  'internal-error': nodes('Something went wrong on our side: {detail}'),
  canceled: {
    fault: 'submitter',
    finalState: 'CANCELED',
    retryable: false,
    mayBeNode: false,
    message: 'The job was canceled.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type JobErrorCode = keyof typeof ERROR_CATALOGUE;
export const JOB_ERROR_CODES = Object.keys(ERROR_CATALOGUE) as JobErrorCode[];
/** Of attempts, which may have failed by the fault of their node. */
export const NODE_ERROR_CODES = JOB_ERROR_CODES.filter((code) => ERROR_CATALOGUE[code].mayBeNode);

/** As a condition on a row `attempt`, for SQL. */
export const ATTEMPT_FAILED_BY_NODE = `attempt.state IN ('FAILED', 'LOST') AND attempt.error_code IN ('${NODE_ERROR_CODES.join("', '")}')`;

/** Of the payload itself, and not of what its job lets it have: after one of these, an executor that ignores errors is followed by the next. */
const IGNORABLE: ReadonlySet<JobErrorCode> = new Set([
  ...(['exit-code', 'killed-by-signal'] as const),
  ...(['command-not-found', 'command-not-executable', 'working-directory', 'standard-input'] as const),
]);

export function isIgnorable(code: JobErrorCode): boolean {
  return IGNORABLE.has(code);
}

export function isJobErrorCode(text: string): text is JobErrorCode {
  return Object.hasOwn(ERROR_CATALOGUE, text);
}
