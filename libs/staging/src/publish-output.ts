/** An output's way out of the node: found, limited, hashed, and made visible at its target in one step. */
import { JobError, type OutputReference } from '#lib/jobs';
import { failureDetail } from './failure.js';
import { publishToFile } from './file-output.js';
import { publishToHttp } from './http-output.js';
import { openOutput, type OutputSource } from './open-output.js';
import { notAllowed, type Publication } from './publication.js';
import { DEFAULT_HTTP_TIMEOUTS, type StagingRules, type StoredFile } from './rules.js';
import { filePath, fileRoots, isUrlAllowed, parseUrl } from './url-prefix.js';

export interface PublishOptions {
  readonly rules: StagingRules;
  readonly limitBytes: number;
  readonly signal: AbortSignal;
  /** Called right before the output becomes visible (the rename, or the PUT); throws to keep it from that. */
  readonly beforeCommit: () => Promise<void>;
}

/** Throws JobError (output-*), what `beforeCommit` throws, or the signal's reason when it is aborted. */
export async function publishOutput(
  output: OutputReference,
  source: OutputSource,
  options: PublishOptions,
): Promise<StoredFile> {
  const { rules, signal } = options;
  let stopped: { readonly error: unknown } | null = null;
  const beforeCommit = async () => {
    try {
      await options.beforeCommit();
    } catch (error) {
      stopped = { error };
      throw error;
    }
  };
  try {
    signal.throwIfAborted();
    return await publish(source, { ...options, output, beforeCommit });
  } catch (error) {
    const stop = stopped as { readonly error: unknown } | null;
    if (stop !== null) throw stop.error;
    if (signal.aborted) throw signal.reason;
    if (error instanceof JobError) throw error;
    const detail = failureDetail(error, rules.httpTimeouts ?? DEFAULT_HTTP_TIMEOUTS);
    throw JobError.of('output-upload-failed', { url: output.url, path: output.path, detail }, { cause: error });
  }
}

async function publish(source: OutputSource, publication: Publication): Promise<StoredFile> {
  const { output, rules, limitBytes } = publication;
  const url = isUrlAllowed(output.url, rules.outputPrefixes) ? parseUrl(output.url) : null;
  const hostPath = url === null ? null : filePath(url);
  if (url === null || (url.protocol === 'file:' && hostPath === null)) throw notAllowed(publication);
  const opened = await openOutput(source, output.path, limitBytes);
  try {
    // Where the disk below the payload's was full, what it wrote is in memory at best: only this tells.
    await opened.file.sync();
    return hostPath === null
      ? await publishToHttp(opened, url, publication)
      : await publishToFile(opened, { hostPath, roots: fileRoots(rules.outputPrefixes) }, publication);
  } finally {
    await opened.file.close();
  }
}
