/** A directory tree, rules and outcomes for the tests of staging. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JobError, type OutputReference } from '#lib/jobs';
import {
  type OutputPermissions,
  type OutputPlace,
  type OutputSource,
  discardStaged,
  JobFiles,
  publishStaged,
  stageOutput,
  type StagingRules,
  type StoredFile,
  temporaryName,
} from '#lib/staging';

export class Tree {
  readonly root = mkdtempSync(join(realpathSync(tmpdir()), 'porin-staging-'));

  /** An absolute path below the tree; its directory is made. */
  path(name: string): string {
    const path = join(this.root, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  directory(name: string): string {
    mkdirSync(this.path(name), { recursive: true });
    return this.path(name);
  }

  write(name: string, content: string | Buffer): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  url(name: string): string {
    return pathToFileURL(join(this.root, name)).href;
  }

  list(name: string): string[] {
    return readdirSync(this.path(name), { recursive: true, encoding: 'utf8' }).sort();
  }

  /** Open descriptors of this process on anything below the tree. */
  openDescriptors(): string[] {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith(`${this.root}/`) ? [target] : [];
      } catch {
        return [];
      }
    });
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function rulesWith(changes: Partial<StagingRules>): StagingRules {
  return {
    inputPrefixes: [],
    outputPrefixes: [],
    foreignPrefixes: [],
    allowPrivateAddresses: false,
    credentials: [],
    s3Endpoints: [],
    inputLimitBytes: 2 ** 40,
    jobInputsLimitBytes: 2 ** 40,
    ...changes,
  };
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The JobError that the promise is rejected with; anything else fails the test. */
export async function jobErrorOf(promise: Promise<unknown>): Promise<JobError> {
  const error = await promise.then(
    (value) => new Error(`resolved to ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (error instanceof JobError) return error;
  throw error;
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await jobErrorOf(promise)).code;
}

export interface PublishOptions {
  readonly rules: StagingRules;
  readonly permissions?: OutputPermissions;
  /** For the bytes of outputs over HTTP. */
  readonly sendDirectory?: string;
  readonly limitBytes: number;
  readonly signal: AbortSignal;
  /** Between staging and publishing; what it throws leaves nothing behind. */
  readonly beforeCommit: () => Promise<void>;
}

export function placeOf(options: Pick<PublishOptions, 'rules' | 'permissions' | 'sendDirectory'>): OutputPlace {
  return {
    rules: options.rules,
    permissions: options.permissions ?? { uid: null, gid: null, mode: 0o644 },
    sendDirectory: options.sendDirectory ?? join(tmpdir(), 'porin-staging-send'),
    nodeName: 'node-a',
  };
}

/** As a worker publishes the one output of a job. */
export async function publishOutput(
  output: OutputReference,
  source: OutputSource,
  options: PublishOptions,
): Promise<StoredFile> {
  const place = placeOf(options);
  const { signal, limitBytes } = options;
  const temporary = temporaryName(randomUUID(), 0);
  const limit = { bytes: limitBytes, jobBytes: limitBytes };
  const files = new JobFiles();
  const staged = await stageOutput(output, source, { place, temporary, limit, signal, files });
  try {
    await options.beforeCommit();
    await publishStaged(staged, place, { signal, files });
  } finally {
    await discardStaged(output, temporary, place);
  }
  return { sha256: staged.sha256, bytes: staged.bytes };
}
