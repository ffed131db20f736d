/** What can go wrong while an image is built. */

export type ImageErrorCode =
  'mmdebstrap-missing' | 'not-root' | 'mmdebstrap-failed' | 'engine-refused' | 'busybox-missing' | 'tar-failed';

export class ImageError extends Error {
  override readonly name = 'ImageError';
  constructor(
    readonly code: ImageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
