/** The name of the application that an image and a command without one belong to. */

/** Ad-hoc applications; a registered name has no slash, so the two cannot be confused. */
export const ADHOC_PREFIX = 'adhoc/';

/**
 * `adhoc/<repository>/<argv[0]>`: one per pair, whatever the tag, the digest and the arguments. The repository is the
 * image reference without them, as it is written: a tag's colon comes after the last slash, a registry's port before.
 */
export function adhocApplicationName(image: string, argv0: string): string {
  const untagged = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return `${ADHOC_PREFIX}${untagged}/${argv0}`;
}
