/** A directory tree, rules and outcomes for the tests of staging. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JobError } from '#lib/jobs';
import { type StagingRules } from '#lib/staging';

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
  return { inputPrefixes: [], outputPrefixes: [], allowPrivateAddresses: false, inputLimitBytes: 2 ** 40, ...changes };
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
