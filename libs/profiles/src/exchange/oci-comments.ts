/** What an export says to people about its rules; a runtime passes over it, an import knows the two that it may act on. */
import { type Architecture } from '../model/profile.js';

const FOREIGN: Readonly<Record<Architecture, string>> = { x86_64: 'i386 and x32', aarch64: '32-bit Arm' };

/** The format has one list of rules for all architectures, so a foreign one cannot be given an answer of its own. */
export function aboutForeignCalls(architecture: Architecture): string {
  return `Porin: calls of ${FOREIGN[architecture]} programs are not listed: libseccomp ends the thread that makes one, where Porin answers ENOSYS.`;
}

export const NARROWED =
  'Porin: less is allowed here than the profile allows, because this format cannot say all of its conditions.';

export const OTHER_ERRNO =
  'Porin: with other arguments Porin answers EPERM; this format cannot say them, so the default errno is the answer.';

/** On calls that the profile does not allow at all; an import leaves them out. */
export const RUNTIME_ADDED =
  'Porin: not of the profile. The container runtime makes these calls itself after it has loaded the filter.';

export const RUNTIME_WIDENED =
  'Porin: the profile allows these with some arguments only. The container runtime needs them with others.';

/** On calls that are outside the profile, unlike its quiet refusals; an import leaves them out. */
export const REPORTED = 'Porin: outside the profile. Porin refuses these with the same errno, and reports them.';
