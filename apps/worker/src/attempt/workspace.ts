/** The directory of one attempt on this node: its staged inputs, and its bounded scratch with /tmp, the outputs and the volumes. */
import { chownSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Mount, type Scratch } from '#lib/execution';
import { digestOf } from '#lib/profiles';
import { isSelection, narrowPrefixes, outputDirectory, type OutputReference } from '#lib/jobs';
import {
  CachedInputs,
  type Credential,
  type InputCache,
  type JobInputs,
  type OutputPermissions,
  type OutputPlace,
  type OutputSource,
  stageInput,
  type StagingRules,
} from '#lib/staging';
import { type Claim, type TenantPrefixes } from './claim.js';
import { type PlannedExecutor } from '../plan/plan.js';
import { type ScratchPool, type SlotScratch } from '../node/scratch-pool.js';
import {
  outputDirectories,
  type OutputDirectory,
  placeOf,
  SCRATCH_DIRECTORY,
  writtenDirectories,
} from './output-mounts.js';

/** Where the workspaces of this node are, and what holds for all of them. */
export interface WorkspacePlace {
  readonly workDirectory: string;
  readonly scratches: ScratchPool;
  /** The uid of slot 0; each next slot has the next one. */
  readonly baseUid: number;
  /** Of the node; tenants' settings narrow them. */
  readonly rules: Omit<StagingRules, 'foreignPrefixes' | 'credentials' | 'cache'>;
  /** Undefined where nothing is kept. */
  readonly inputCache: InputCache | undefined;
  readonly nodeName: string;
  readonly permissions: OutputPermissions;
  /** For the bytes of outputs that are sent: they outlive an attempt and a process. */
  readonly sendDirectory: string;
}

interface StagedInput {
  readonly path: string;
  readonly file: string;
  readonly sha256: string;
  /** Null where all of it was fetched. */
  readonly cachedBytes: number | null;
}

/** An input that was not fetched, or a part of one. */
export interface CachedInput {
  /** Place among those of the job. */
  readonly input: number;
  /** Not fetched. */
  readonly bytes: number;
}

export class Workspace {
  /** Mounted writable; before those that they lie below. */
  readonly #directories: readonly OutputDirectory[];
  #removal: Promise<void> | undefined;
  #inputs: readonly StagedInput[] = [];

  private constructor(
    private readonly directory: string,
    readonly scratch: Scratch,
    private readonly size: SlotScratch,
    private readonly claim: Claim,
    private readonly place: WorkspacePlace,
    private readonly credentials: readonly Credential[],
  ) {
    const directories = outputDirectories(claim);
    this.#directories = directories.includes(SCRATCH_DIRECTORY) ? directories : [...directories, SCRATCH_DIRECTORY];
  }

  /** Writable for the slot's uid alone, and bounded by the job's disk. Inputs lie beside the scratch and do not count. */
  static async make(
    claim: Claim,
    slot: number,
    place: WorkspacePlace,
    credentials: readonly Credential[],
  ): Promise<Workspace> {
    const directory = join(place.workDirectory, `${claim.jobId}-a${claim.number}`);
    const uid = place.baseUid + slot;
    const size = { slot, bytes: claim.share.diskBytes, uid, gid: uid };
    const scratch = await place.scratches.take(size);
    const workspace = new Workspace(directory, scratch, size, claim, place, credentials);
    try {
      mkdirSync(join(directory, 'inputs'), { recursive: true, mode: 0o700 });
      workspace.#makeDirectories();
      return workspace;
    } catch (error) {
      await workspace.remove();
      throw error;
    }
  }

  /** Of the payload, and of all that it may write. */
  get owner(): { readonly uid: number; readonly gid: number } {
    return { uid: this.size.uid, gid: this.size.gid };
  }

  /** Throws JobError (input-*, inputs-too-large). */
  async stage(inputs: JobInputs, signal: AbortSignal): Promise<void> {
    if (this.claim.inputs.length === 0) return;
    const staged = [];
    const { rules } = outputPlace(this.place, this.claim.tenantTerms, this.credentials);
    const { inputCache } = this.place;
    for (const [index, input] of this.claim.inputs.entries()) {
      const file = join(this.directory, 'inputs', String(index));
      const cache = inputCache && CachedInputs.of(inputCache, this.claim.tenant);
      const { sha256 } = await stageInput(input, file, { ...rules, cache }, signal, inputs);
      const taken = cache?.taken;
      staged.push({ path: input.path, file, sha256, cachedBytes: taken && taken.files > 0 ? taken.bytes : null });
    }
    this.#inputs = staged;
    // They have taken of the disk what was promised to payloads.
    await inputCache?.trim();
  }

  get cachedInputs(): readonly CachedInput[] {
    return this.#inputs.flatMap(({ cachedBytes }, input) =>
      cachedBytes === null ? [] : [{ input, bytes: cachedBytes }],
    );
  }

  get mounts(): readonly Mount[] {
    return [
      ...this.#directories.map(({ name, target }) => ({
        source: join(this.scratch.path, name),
        target,
        readOnly: false,
      })),
      ...this.#inputs.map(({ file, path }) => ({ source: file, target: path, readOnly: true })),
    ];
  }

  /**
   * Runs with equal digests did the same work: the same arguments and environment on the same data. `before`: what tells the work
   * of the executors before it, which may have left it files.
   */
  inputsDigest({ command, environment, asked }: PlannedExecutor, before: readonly string[]): string {
    return digestOf({
      command,
      environment,
      inputs: this.#data,
      ...(asked.stdin !== null && { stdin: asked.stdin }),
      ...(before.length > 0 && { before }),
    });
  }

  /** Of the data alone, wherever it lies: other options make no other data. */
  get dataDigest(): string {
    return digestOf(this.#data.map(({ sha256 }) => sha256).sort());
  }

  get #data(): { path: string; sha256: string }[] {
    const data = this.#inputs.map(({ path, sha256 }) => ({ path, sha256 }));
    return data.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Where the payload was to leave the output, of a pattern the directory in which it begins; or what it prints. */
  sourceOf(output: Omit<OutputReference, 'url'>): OutputSource {
    const { directory, name } = placeOf(isSelection(output) ? outputDirectory(output) : output.path, this.#directories);
    return { directory: join(this.scratch.path, directory.name), name };
  }

  /**
   * Before anything else is in the scratch. Those above an input, which is mounted into them, too: the engine would make them
   * its own, and the payload could not write there.
   */
  #makeDirectories(): void {
    for (const { name } of this.#directories) this.#makeDirectory(join(this.scratch.path, name));
    const needed = [...writtenDirectories(this.claim), ...this.claim.inputs.map(({ path }) => dirname(path))];
    for (const path of needed) {
      const above = this.#directories.find(({ target }) => path.startsWith(`${target}/`));
      if (above === undefined) continue;
      const parts = path.slice(above.target.length + 1).split('/');
      parts.forEach((_, index) => {
        this.#makeDirectory(join(this.scratch.path, above.name, ...parts.slice(0, index + 1)));
      });
    }
  }

  /** Of the payload. */
  #makeDirectory(path: string): void {
    if (mkdirSync(path, { recursive: true, mode: 0o700 }) === undefined) return;
    chownSync(path, this.size.uid, this.size.gid);
  }

  /** May be called twice. */
  remove(): Promise<void> {
    this.#removal ??= Promise.all([
      this.place.scratches.giveBack(this.size, this.scratch),
      rm(this.directory, { recursive: true, force: true }),
    ]).then(() => undefined);
    return this.#removal;
  }
}

/** For the outputs of one job: the node's own prefixes are the upper bound of its tenant's. */
export function outputPlace(
  place: WorkspacePlace,
  prefixes: TenantPrefixes,
  credentials: readonly Credential[],
): OutputPlace {
  const { rules, permissions, sendDirectory, nodeName } = place;
  return {
    permissions,
    sendDirectory,
    nodeName,
    rules: {
      ...rules,
      inputPrefixes: narrowPrefixes(rules.inputPrefixes, prefixes.inputPrefixes),
      outputPrefixes: narrowPrefixes(rules.outputPrefixes, prefixes.outputPrefixes),
      foreignPrefixes: prefixes.foreignPrefixes,
      credentials,
    },
  };
}
