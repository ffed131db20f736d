/** What a payload is started as: the request's command and directory, the image's own where the request is silent. */

/** Of an image. */
export interface ImageCommand {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Empty where the image names none. */
  readonly workingDirectory: string;
}

export interface RequestedCommand {
  /** The whole argument vector; empty means the image's own entrypoint and command. */
  readonly command: readonly string[];
  /** Absolute. */
  readonly workingDirectory?: string | null;
}

export interface PayloadCommand {
  readonly command: readonly string[];
  readonly workingDirectory: string;
}

/**
 * @example
 * payloadCommand({ entrypoint: ['tool'], command: ['--help'], workingDirectory: '' }, { command: [] });
 * // { command: ['tool', '--help'], workingDirectory: '/' }
 */
export function payloadCommand(image: ImageCommand, requested: RequestedCommand): PayloadCommand {
  return {
    command: requested.command.length > 0 ? requested.command : [...image.entrypoint, ...image.command],
    workingDirectory: requested.workingDirectory ?? (image.workingDirectory || '/'),
  };
}
