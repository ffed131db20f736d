/** Whether a rule of Docker's format is meant for Porin's containers: no capability, Linux 6.1 or newer, one architecture. */
import { type Architecture } from '../model/profile.js';
import { type DocumentRule } from './oci-document.js';

/** As Docker and Podman call them (GOARCH), and as the kernel does. */
const ARCHES: Readonly<Record<Architecture, readonly string[]>> = {
  x86_64: ['amd64', 'x86_64'],
  aarch64: ['arm64', 'aarch64'],
};

/** What every node runs at least; see docs/operations.md. */
const OLDEST_KERNEL = [6, 1] as const;

/**
 * In words, why the rule is none of ours; null where it applies. Where it depends on the node's kernel, a rule that allows
 * does not apply and every other does.
 */
export function whyNotApplied({ action, includes, excludes }: DocumentRule, architecture: Architecture): string | null {
  const ours = ARCHES[architecture];
  if (includes.arches.length > 0 && !includes.arches.some((arch) => ours.includes(arch))) {
    return `it is for ${includes.arches.join(', ')}`;
  }
  if (excludes.arches.some((arch) => ours.includes(arch))) return 'it is for other architectures';
  if (includes.caps.length > 0) return `it is for containers with ${includes.caps.join(', ')}, and Porin’s have none`;
  const allows = action === 'SCMP_ACT_ALLOW' || action === 'SCMP_ACT_LOG';
  if (includes.minKernel !== null && !isOnEveryNode(includes.minKernel) && allows) {
    return `not every node has Linux ${includes.minKernel}`;
  }
  if (excludes.minKernel !== null && (isOnEveryNode(excludes.minKernel) || allows)) {
    return `it is for kernels before Linux ${excludes.minKernel}`;
  }
  return null;
}

function isOnEveryNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor <= OLDEST_KERNEL[1]);
}
