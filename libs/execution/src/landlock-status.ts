/** How much of file rules a kernel holds, by its Landlock ABI. */
import { LANDLOCK_STATUSES, type LandlockStatus } from '#lib/profiles';

/** The first that has every right and both scopes: abstract sockets and signals (Linux 6.12). */
const COMPLETE_ABI = 6;

/** `abi`: 0 or null where the kernel has no Landlock. */
export function landlockStatusAt(abi: number | null): LandlockStatus {
  if (!abi) return 'NOT_ENFORCED';
  return abi >= COMPLETE_ABI ? 'FULLY_ENFORCED' : 'PARTIALLY_ENFORCED';
}

export function isLess(status: LandlockStatus, than: LandlockStatus): boolean {
  return LANDLOCK_STATUSES.indexOf(status) < LANDLOCK_STATUSES.indexOf(than);
}
