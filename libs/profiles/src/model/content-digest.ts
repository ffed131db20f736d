/** The identity of a build's image content: equal on every engine, and after a re-import under another image id. */
import { canonicalJson, type Digest, sha256 } from './canonical-json.js';
import { type Architecture } from './profile.js';

/** From the engine's image inspection; OCI image specification, config.md. */
export interface ImageContent {
  /** Such as "linux". */
  readonly os: string;
  readonly architecture: Architecture;
  /** `rootfs.diff_ids`: digests of the uncompressed layers, lowest first. */
  readonly layerDiffIds: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `NAME=value`. */
  readonly environment: readonly string[];
  readonly workingDirectory: string;
  readonly user: string;
}

export function contentDigest(content: ImageContent): Digest {
  return sha256(contentText(content));
}

/** What the digest is the SHA-256 of. */
export function contentText(content: ImageContent): string {
  return canonicalJson({
    os: content.os,
    architecture: content.architecture,
    layerDiffIds: content.layerDiffIds,
    entrypoint: content.entrypoint,
    command: content.command,
    environment: [...lastOfEachName(content.environment)].sort(),
    workingDirectory: content.workingDirectory,
    user: content.user,
  });
}

/** Engines differ in the order; of one name given twice the last counts, as in the process itself. */
function lastOfEachName(environment: readonly string[]): Iterable<string> {
  return new Map(environment.map((entry) => [entry.split('=', 1)[0], entry])).values();
}

const BY_GOARCH: ReadonlyMap<string, Architecture> = new Map([
  ['amd64', 'x86_64'],
  ['arm64', 'aarch64'],
]);

/** GOARCH, as engines and registries name architectures, in our words; undefined for those without a syscall table. */
export function architectureOfGoarch(goarch: string): Architecture | undefined {
  return BY_GOARCH.get(goarch);
}
