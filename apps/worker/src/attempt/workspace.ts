/** The directory of one attempt on this node: its staged inputs, and its bounded scratch with /tmp and the outputs. */
import { chownSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Mount, type Scratch } from '#lib/execution';
import { digestOf } from '#lib/profiles';
import { narrowPrefixes, type OutputReference } from '#lib/jobs';
import {
  type Credential,
  type OutputPermissions,
  type OutputPlace,
  type OutputSource,
  stageInput,
  type StagingRules,
} from '#lib/staging';
import { type Claim, type TenantPrefixes } from './claim.js';
import { type ScratchPool, type SlotScratch } from '../node/scratch-pool.js';
import { outputDirectories, type OutputDirectory, placeOf } from './output-mounts.js';

/** Where the workspaces of this node are, and what holds for all of them. */
export interface WorkspacePlace {
  readonly workDirectory: string;
  readonly scratches: ScratchPool;
  /** The uid of slot 0; each next slot has the next one. */
  readonly baseUid: number;
  /** Of the node; tenants' settings narrow them. */
  readonly rules: Omit<StagingRules, 'foreignPrefixes' | 'credentials'>;
  readonly nodeName: string;
  readonly permissions: OutputPermissions;
  /** For the bytes of outputs that are sent: they outlive an attempt and a process. */
  readonly sendDirectory: string;
}

const TMP = 'tmp';

export class Workspace {
  readonly #outputs: readonly OutputDirectory[];
  #removal: Promise<void> | undefined;
  #inputs: readonly { readonly path: string; readonly file: string; readonly sha256: string }[] = [];

  private constructor(
    private readonly directory: string,
    readonly scratch: Scratch,
    private readonly size: SlotScratch,
    private readonly claim: Claim,
    private readonly place: WorkspacePlace,
    private readonly credentials: readonly Credential[],
  ) {
    this.#outputs = outputDirectories(claim.outputs.map(({ path }) => path));
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
      for (const name of [TMP, ...workspace.#outputs.map((output) => output.name)]) {
        const path = join(scratch.path, name);
        mkdirSync(path, { mode: 0o700 });
        chownSync(path, uid, uid);
      }
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

  /** Throws JobError input-*. */
  async stage(signal: AbortSignal): Promise<void> {
    const staged = [];
    const { rules } = outputPlace(this.place, this.claim.tenantTerms, this.credentials);
    for (const [index, input] of this.claim.inputs.entries()) {
      const file = join(this.directory, 'inputs', String(index));
      const { sha256 } = await stageInput(input, file, rules, signal);
      staged.push({ path: input.path, file, sha256 });
    }
    this.#inputs = staged;
  }

  get mounts(): readonly Mount[] {
    return [
      { source: join(this.scratch.path, TMP), target: '/tmp', readOnly: false },
      ...this.#outputs.map(({ name, target }) => ({ source: join(this.scratch.path, name), target, readOnly: false })),
      ...this.#inputs.map(({ file, path }) => ({ source: file, target: path, readOnly: true })),
    ];
  }

  /** Runs with equal digests did the same work: the same arguments and environment on the same data. */
  inputsDigest(command: readonly string[], environment: Readonly<Record<string, string>>): string {
    return digestOf({ command, environment, inputs: this.#data });
  }

  /** Of the data alone, wherever it lies: other options make no other data. */
  get dataDigest(): string {
    return digestOf(this.#data.map(({ sha256 }) => sha256).sort());
  }

  get #data(): { path: string; sha256: string }[] {
    const data = this.#inputs.map(({ path, sha256 }) => ({ path, sha256 }));
    return data.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Where the payload was to leave the output. */
  sourceOf({ path }: OutputReference): OutputSource {
    const { directory, name } = placeOf(path, this.#outputs);
    return { directory: join(this.scratch.path, directory.name), name };
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
