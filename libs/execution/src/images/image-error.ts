/** Why an image cannot be run on this node. */

export type ImageErrorCode =
  | 'image-invalid'
  | 'image-not-allowed'
  | 'image-not-found'
  /** No registry may be asked for it: another node may have it. */
  | 'image-not-on-node'
  | 'image-pull-failed'
  | 'image-too-large'
  | 'image-unusable'
  | 'image-architecture';

/**
 * The message is a sentence of ours for the one who named the image: what the engine or a registry said is in the cause, for
 * the worker's log.
 */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  constructor(
    readonly code: ImageErrorCode,
    message: string,
    options?: ErrorOptions & {
      /** GOARCH of the image, with `image-architecture`. */
      readonly imageArchitecture?: string;
    },
  ) {
    super(message, options);
    this.imageArchitecture = options?.imageArchitecture;
  }

  readonly imageArchitecture: string | undefined;
}
