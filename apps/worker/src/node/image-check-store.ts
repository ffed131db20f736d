/** The database's side of looking for the images of applications that were registered or whose image was changed. */
import { type OwnImageLists } from '../attempt/claim.js';
import { type NodeCalls } from '../store/node-database.js';

export interface UncheckedImage {
  readonly applicationId: string;
  readonly image: string;
  readonly lists: OwnImageLists;
}

export class ImageCheckStore {
  constructor(private readonly database: NodeCalls) {}

  /** The oldest whose image no node has found and this one has not looked for, leaving out `skipped`. */
  async next(skipped: readonly string[]): Promise<UncheckedImage | undefined> {
    return (await this.database.call<UncheckedImage | null>('node_next_image', { skipped })) ?? undefined;
  }

  /** `problem`: null when it was found. Writes nothing where the application has another image by now, or another node found it. */
  async store({ applicationId, image }: UncheckedImage, problem: string | null): Promise<void> {
    await this.database.call('node_store_image_check', { applicationId, image, problem });
  }
}
