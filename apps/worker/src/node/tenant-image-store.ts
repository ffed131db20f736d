/** The database's side of which images on this node count for the tenant of a job that it holds. */
import { type AttemptKey } from '../attempt/attempt-key.js';
import { lost } from '../attempt/lost-attempt.js';
import { type NodeCalls } from '../store/node-database.js';
import { type ImageUse } from './tenant-room.js';

export class TenantImageStore {
  constructor(private readonly database: NodeCalls) {}

  /** Of these repository digests those that count for a tenant, the last used by this one first. Throws LostAttemptError. */
  async uses(key: AttemptKey, repositoryDigests: readonly string[]): Promise<readonly ImageUse[]> {
    const { jobId } = key;
    const uses = await this.database.call<ImageUse[] | null>('node_tenant_images', { jobId, repositoryDigests });
    if (!uses) throw lost(key);
    return uses;
  }

  /** Notes that the tenant uses an image; whether it counts for it. Throws LostAttemptError. */
  async use(key: AttemptKey, repositoryDigest: string, { isNew }: { isNew: boolean }): Promise<boolean> {
    const { jobId } = key;
    const counts = await this.database.call<boolean | null>('node_use_image', { jobId, repositoryDigest, isNew });
    if (counts === null) throw lost(key);
    return counts;
  }

  /** They do not count for the tenant any more. */
  async giveUp({ jobId }: AttemptKey, repositoryDigests: readonly string[]): Promise<void> {
    await this.database.call('node_give_up_images', { jobId, repositoryDigests });
  }
}
