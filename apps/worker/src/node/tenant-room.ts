/** What a tenant's images take of a node, and which of them are given up for another. */
import { type PresentImage } from '#lib/execution';

/** Of a repository digest, whether jobs of the tenant or of others have used it on this node. */
export interface ImageUse {
  readonly repositoryDigest: string;
  readonly isOwn: boolean;
  readonly isOthers: boolean;
}

export interface TenantImage extends PresentImage {
  /** It counts for another tenant too, and stays when this one gives it up. */
  readonly isShared: boolean;
}

/** Those of the images that count for the tenant. `uses`: the last used first, and so is the answer. */
export function tenantImages(present: readonly PresentImage[], uses: readonly ImageUse[]): readonly TenantImage[] {
  const byDigest = new Map(
    present.flatMap((image) => image.repositoryDigests.map((digest) => [digest, image] as const)),
  );
  const own = new Set(uses.flatMap(({ isOwn, repositoryDigest }) => (isOwn && byDigest.get(repositoryDigest)) || []));
  const others = new Set(uses.flatMap(({ isOthers, repositoryDigest }) => (isOthers ? [repositoryDigest] : [])));
  return [...own].map((image) => ({
    ...image,
    isShared: image.repositoryDigests.some((digest) => others.has(digest)),
  }));
}

/** Never less than nothing: a bound may have been lowered. */
export function leftBytes(images: readonly PresentImage[], maximumBytes: number): number {
  return Math.max(0, maximumBytes - bytesOf(images));
}

/**
 * The fewest, those first that were not used for longest. Undefined where there would not be room without all that may be
 * given up: then none is.
 */
export function imagesToGiveUp(
  images: readonly TenantImage[],
  { neededBytes, maximumBytes, mayGiveUp }: RoomDemand,
): readonly TenantImage[] | undefined {
  const given: TenantImage[] = [];
  let excessBytes = bytesOf(images) + neededBytes - maximumBytes;
  for (const image of images.toReversed()) {
    if (excessBytes <= 0) break;
    if (!mayGiveUp(image)) continue;
    given.push(image);
    excessBytes -= image.bytes;
  }
  return excessBytes <= 0 ? given : undefined;
}

export interface RoomDemand {
  readonly neededBytes: number;
  readonly maximumBytes: number;
  readonly mayGiveUp: (image: TenantImage) => boolean;
}

function bytesOf(images: readonly PresentImage[]): number {
  return images.reduce((sum, { bytes }) => sum + bytes, 0);
}
