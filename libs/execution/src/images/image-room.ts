/** What the images of one tenant may take of this node, as a pull sees it. */
import { ImageError } from './image-error.js';

/** What counts is an image's own size, unpacked: layers that images share count with each of them. */
export interface ImageRoom {
  readonly maximumBytes: number;
  /** What the tenant's images leave of that now. */
  leftBytes(): Promise<number>;
  /** Gives up the image that was not used for longest, of those that no attempt needs. False where there is none. */
  giveUpOne(): Promise<boolean>;
  /**
   * Counts the image for the tenant, after others have been given up for it where they must, and keeps it here until the
   * attempt ends. False where the engine does not have it any more. Throws ImageError (see noRoom).
   */
  take(image: { readonly imageId: string; readonly repositoryDigest: string }): Promise<boolean>;
}

/** `bytes`: of the image, or as many of them as were seen before its pull was ended. */
export function noRoom(bytes: number, maximumBytes: number): ImageError {
  const takes = `It takes at least ${bytes} bytes on the node, unpacked`;
  return bytes > maximumBytes
    ? new ImageError('image-too-large', `${takes}, and the images of your tenant may take ${maximumBytes} there.`)
    : new ImageError(
        'image-pull-failed',
        `${takes}. Those of your tenant that are in use there leave less than that of the ${maximumBytes} that they may take.`,
      );
}
