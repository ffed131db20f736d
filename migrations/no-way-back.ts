/** What every migration does when it is to be undone. */

/** A schema that lost columns cannot hold what came since: the way back is the backup from before (docs/operations.md). */
export function noWayBack(): Promise<void> {
  return Promise.reject(new Error('A migration cannot be undone: restore the backup that was made before it.'));
}
