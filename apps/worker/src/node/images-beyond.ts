/** Which pulled images are too many. */
import { type PresentImage } from '#lib/execution';

/** The last used first; what no attempt of this node has used is not this node's to remove, and does not count. */
export function imagesBeyond(
  present: readonly PresentImage[],
  digestsByLastUse: readonly string[],
  keepCount: number,
): readonly PresentImage[] {
  const ofDigest = new Map(
    present.flatMap((image) => image.repositoryDigests.map((digest) => [digest, image] as const)),
  );
  const used = new Set(digestsByLastUse.flatMap((digest) => ofDigest.get(digest) ?? []));
  return [...used].slice(keepCount);
}
