/** Where the images of a node come from, and what an image is asked for with. */
import { type ImageAccess, type ImageName } from '#lib/jobs';
import { type Engine } from '../engine/engine.js';
import { type DataRoot } from './data-root.js';
import { type ImageRoom } from './image-room.js';
import { type PullTurn } from './pull-turn.js';
import { type PullLimits } from './pull-watch.js';
import { type RegistryCredential } from './registry-credential.js';

/** Of a node, for all that is pulled there. */
export interface ImageSource {
  readonly engine: Engine;
  readonly turn: PullTurn;
  readonly limits: PullLimits;
  readonly dataRoot: () => Promise<DataRoot>;
  /** Whether all addresses of a registry's host are of the public internet. Rejects where it has none. */
  readonly isPublic: (host: string) => Promise<boolean>;
  /** Those that images were pulled from by a credential, and that show them to nobody without one. */
  readonly privateRepositories: PrivateRepositories;
}

/** Repositories, `registry.example.org/team/tool`. */
export interface PrivateRepositories {
  has(repository: string): boolean;
  /** Once this has resolved, it stays known when the process ends. */
  add(repository: string): unknown;
  delete(repository: string): unknown;
}

export interface ResolveImageOptions {
  /** Of a name; null: of an image without one. */
  readonly accessOf: (name: ImageName | null) => ImageAccess;
  /** Ends what is waited for. */
  readonly signal: AbortSignal;
  /** What images of registries may take here; absent where they count for nobody. */
  readonly room?: ImageRoom;
  /** Of whoever asks; a registry is asked by it alone. */
  readonly credentials?: readonly RegistryCredential[];
}
