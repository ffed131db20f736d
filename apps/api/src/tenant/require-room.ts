/** Refuses a job that would go beyond the bounds of its tenant. */
import { countedUsage, tenantSettings } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { PorinError } from '../errors/porin-error.js';

/** After a job was added. Throws too-many-jobs and tenant-storage-full; several submissions at once may pass together. */
export async function requireRoomForJob(manager: EntityManager, tenant: string): Promise<void> {
  const { maxQueuedJobs, maxStoredBytes } = await tenantSettings(manager, tenant);
  const { queuedJobs, storedBytes } = await countedUsage(manager, tenant);
  if (queuedJobs > maxQueuedJobs) {
    throw new PorinError(
      'too-many-jobs',
      `The tenant has ${maxQueuedJobs} jobs that have not ended, and may not have more. Wait for some to end.`,
    );
  }
  if (storedBytes > maxStoredBytes) {
    throw new PorinError(
      'tenant-storage-full',
      `The jobs, logs, traces and recordings of the tenant take ${storedBytes} bytes, and may take ${maxStoredBytes}. Keep them for a shorter time ("retentionDays"), or ask who runs the grid.`,
    );
  }
}
