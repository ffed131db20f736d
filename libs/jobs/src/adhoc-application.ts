/** The name of the application that an image and a command without one belong to. */
import { createHash } from 'node:crypto';

/** Ad-hoc applications; a registered name has no slash, so the two cannot be confused. */
export const ADHOC_PREFIX = 'adhoc/';

/** Postgres indexes names of at most 2704 bytes; a character has up to four. */
const NAME_MAXIMUM = 512;
const CUT_NAME = 440;

/**
 * `adhoc/<repository>/<argv[0]>`: one per pair, whatever the tag, the digest and the arguments. The repository is the
 * image reference without them, as it is written: a tag's colon comes after the last slash, a registry's port before.
 */
export function adhocApplicationName(image: string, argv0: string): string {
  const untagged = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return bounded(`${ADHOC_PREFIX}${untagged}/${argv0}`);
}

/** A name that is too long is cut and gets its digest, which tells it from others that begin alike. */
function bounded(name: string): string {
  if (name.length <= NAME_MAXIMUM) return name;
  const start = name.slice(0, CUT_NAME).replace(/[\uD800-\uDBFF]$/, '');
  return `${start}~${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}
