/** What went wrong with an image, in words for the one who named it. */
import { ImageReferenceError } from '#lib/jobs';
import { EngineError, engineStatus } from '../engine/engine-error.js';
import { ImageError, type ImageErrorCode } from './image-error.js';
import { PullFailure } from './pull-image.js';

const NOT_FOUND = 404;
/** Bad request, unauthorized, forbidden, not found: of the engine, and of a registry that it asked. */
const ABSENT_STATUS = [400, 401, 403, NOT_FOUND];
const ABSENT = 'Its registry does not have it, or does not show it to this grid.';
const NOT_ASKED = 'Its registry or the engine of the node could not be asked.';

/** What is said of a failed pull, and what that means; the first that fits. Other failures are tried again. */
const FAILURES: readonly (readonly [said: RegExp, code: ImageErrorCode, message: string])[] = [
  [/no space left|cannot allocate memory|input\/output error/i, 'image-pull-failed', 'The node could not keep it.'],
  [/no matching manifest/i, 'image-architecture', 'There is none for this node.'],
  // Of an image that is not there, or not ours to read.
  [
    /manifest unknown|not found|does not exist|pull access denied|unauthorized|name unknown|denied:|no basic auth credentials|authentication required|incorrect username or password|response body: 40[13]|HTTP 40[13] response/i,
    'image-not-found',
    ABSENT,
  ],
  [
    /failed to register layer|tar header|verification failed|match image configuration|unsupported|size validation/i,
    'image-unusable',
    'Its registry has it, and it cannot be unpacked.',
  ],
];

export function toImageError(cause: unknown): unknown {
  if (cause instanceof ImageError) return cause;
  if (cause instanceof ImageReferenceError) return new ImageError('image-invalid', `${cause.message}.`, { cause });
  if (ABSENT_STATUS.includes(engineStatus(cause) ?? 0)) return new ImageError('image-not-found', ABSENT, { cause });
  if (cause instanceof EngineError && cause.reason === 'too-large') {
    return new ImageError('image-too-large', 'What it says about its own start is too long.', { cause });
  }
  const said = cause instanceof PullFailure || cause instanceof EngineError ? cause.message : '';
  const [, code = 'image-pull-failed', message = NOT_ASKED] = FAILURES.find(([words]) => words.test(said)) ?? [];
  return new ImageError(code, message, { cause });
}
