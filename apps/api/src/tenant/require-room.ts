/** Refuses a job that would go beyond the bounds of its tenant. */
import { countedUsage } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { PorinError } from '../errors/porin-error.js';
import { type TenantBounds } from '../facts/submission-facts.js';

/** Before a job of so many bytes is added. Throws too-many-jobs and tenant-storage-full; several submissions at once may pass together. */
export async function requireRoomForJob(
  manager: EntityManager,
  tenant: string,
  bounds: TenantBounds,
  requestBytes: number,
): Promise<void> {
  const { queuedJobs, storedBytes } = await countedUsage(manager, tenant);
  if (queuedJobs >= bounds.maxQueuedJobs) throw tooManyJobs(bounds);
  if (storedBytes + requestBytes > bounds.maxStoredBytes) throw storageFull(bounds, storedBytes + requestBytes);
}

export function tooManyJobs({ maxQueuedJobs }: TenantBounds): PorinError {
  return new PorinError(
    'too-many-jobs',
    `The tenant has ${maxQueuedJobs} jobs that have not ended, and may not have more. Wait for some to end.`,
  );
}

/** `storedBytes`: with the job. */
export function storageFull({ maxStoredBytes }: TenantBounds, storedBytes: number): PorinError {
  return new PorinError(
    'tenant-storage-full',
    `The jobs, logs, traces and recordings of the tenant take ${storedBytes} bytes, and may take ${maxStoredBytes}. Keep them for a shorter time ("retentionDays"), or ask who runs the grid.`,
  );
}
