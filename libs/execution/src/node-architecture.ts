/** The architecture of this node, in the words of profiles. */
import { type Architecture } from '#lib/profiles';

export function nodeArchitecture(): Architecture {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}
