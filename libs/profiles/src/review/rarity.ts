/** When a call or a file rule was seen so seldom that a reviewer should ask what brought it. */
import { type Coverage } from '../model/profile.js';

/** Of the recordings; what was seen in no more than this share of them is rare. */
const RARE_SHARE = 1 / 5;

/**
 * Seen in one of several recordings, or in at most a fifth of them: whoever may submit can send a second recording. What no
 * recording had was brought by the table of families, or by hand, and is not rare.
 */
export function isRare({ seenIn, of }: Coverage[string]): boolean {
  return of >= 2 && seenIn >= 1 && (seenIn === 1 || seenIn / of <= RARE_SHARE);
}
