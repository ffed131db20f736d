/** The database's side of plans: whose content an image is, the build of it, and the profile that is approved for that. */
import { type ImageLists } from '#lib/jobs';
import { type OnNewBuild, type UnknownContent } from '#lib/profiles';
import { lost } from '../attempt/lost-attempt.js';
import { type AttemptKey } from '../attempt/attempt-key.js';
import { type ApplicationTerms, type ApprovedRow, type BuildRow, type PinnedBuild } from '../attempt/claim.js';
import { type NodeCalls } from '../store/node-database.js';
import { type ContentOwner } from './bind-content.js';

/** What an image is, whatever it is called. */
export interface Content {
  readonly contentDigest: string;
  /** Lowest first. */
  readonly layers: readonly string[];
}

/** Names an executor of an attempt. */
export interface ExecutorKey extends AttemptKey {
  readonly position: number;
}

/** A tenant's own lists of what may be run. */
export type OwnImageLists = { readonly [List in keyof ImageLists]: ImageLists[List] | null };

export class PlanStore {
  constructor(private readonly database: NodeCalls) {}

  /**
   * The build of an image's content, made by whoever sees it first, and stored with the executor once: the first one counts,
   * for this attempt and for every later one. Only an executor that is of no registered application may be bound to one later.
   * `content`: the text that the content digest is of. Resolves to what is stored. Throws LostAttemptError.
   */
  async pinBuild(
    { jobId, number, position }: ExecutorKey,
    image: { applicationId: string; content: string; repositoryDigest: string | null },
  ): Promise<PinnedBuild> {
    const pinned = await this.database.call<PinnedBuild | null>('node_pin_build', {
      jobId,
      number,
      position,
      ...image,
    });
    if (!pinned) throw lost({ jobId, number });
    return pinned;
  }

  async applicationTerms(applicationId: string): Promise<ApplicationTerms> {
    const terms = await this.database.call<ApplicationTerms | null>('node_application_terms', { applicationId });
    if (!terms) throw new Error(`no job of this node is of the application ${applicationId}`);
    return terms;
  }

  /**
   * Registered applications of the tenant with a build of this content, or whose image is called as the executor's; and those
   * with an approved build whose layers are the lowest of this content's. Those with an approved profile first.
   */
  contentOwners({ jobId, position }: ExecutorKey, { contentDigest, layers }: Content): Promise<ContentOwner[]> {
    return this.database.call('node_content_owners', { jobId, position, contentDigest, layers });
  }

  /** Of the application that the executor was submitted as. */
  hasApprovedBuild({ jobId, position }: ExecutorKey, { contentDigest }: Content): Promise<boolean> {
    return this.database.call('node_has_approved_build', { jobId, position, contentDigest });
  }

  /**
   * What becomes of a build without an approved profile: null where the policy decides, as no other build of its application
   * has one. It waits for a person where a person took away or refused a profile of this very build, which is no new one
   * then, and where no approval verified that it could inherit by.
   */
  async onNewBuild({ id: buildId }: Pick<BuildRow, 'id'>, setting: OnNewBuild): Promise<OnNewBuild | null> {
    const siblings = await this.database.call<{ isSettled: boolean } | null>('node_siblings', { buildId });
    if (!siblings) return null;
    return setting === 'inherit' && siblings.isSettled ? 'hold' : setting;
  }

  /** What jobs on unknown content get; a tenant without a setting has the default. */
  unknownContent({ jobId }: AttemptKey): Promise<UnknownContent> {
    return this.database.call('node_unknown_content', { jobId });
  }

  /** Of the job's tenant; null: the grid's hold alone. */
  imageLists({ jobId }: AttemptKey): Promise<OwnImageLists> {
    return this.database.call('node_image_lists', { jobId });
  }

  /** `knownList`: the signature of a list that the caller has, whose text is not sent again. One statement, so that both are of one moment. */
  approvedProfile(buildId: string, knownList: string | null): Promise<ApprovedRow | null> {
    return this.database.call('node_approved_profile', { buildId, knownList });
  }
}
