/** The database's side of plans: whose content an image is, the build of it, and the profile that is approved for that. */
import { type OnNewBuild } from '#lib/profiles';
import { lost } from '../attempt/lost-attempt.js';
import { type AttemptKey } from '../attempt/attempt-key.js';
import { type ApplicationTerms, type ApprovedRow, type PinnedBuild } from '../attempt/claim.js';
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

/** Whose content an image is. */
export interface ContentStanding {
  /**
   * Registered applications of the tenant with a build of this content, or whose image is called as the executor's; and those
   * with an approved build whose layers are the lowest of this content's. Those with an approved profile first.
   */
  readonly owners: readonly ContentOwner[];
  /** The application that the executor was submitted as has an approved profile for it. */
  readonly isApproved: boolean;
}

/** What is approved for a build. */
export interface BuildStanding {
  readonly approved: ApprovedRow | null;
  /**
   * Without an approved profile: null where the policy decides, as no other build of its application has one. isSettled: a
   * person took away or refused a profile of this very build, which is no new one then, or no approval verified that it could
   * inherit by.
   */
  readonly siblings: { readonly isSettled: boolean } | null;
}

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

  /** Throws LostAttemptError. */
  async contentStanding(
    { jobId, number, position }: ExecutorKey,
    { contentDigest, layers }: Content,
  ): Promise<ContentStanding> {
    const standing = await this.database.call<ContentStanding | null>('node_content_standing', {
      jobId,
      position,
      contentDigest,
      layers,
    });
    if (!standing) throw lost({ jobId, number });
    return standing;
  }

  /** `knownList`: the signature of a list that the caller has, whose text is not sent again. Throws LostAttemptError. */
  async buildStanding(key: AttemptKey, buildId: string, knownList: string | null): Promise<BuildStanding> {
    const standing = await this.database.call<BuildStanding | null>('node_build_standing', { buildId, knownList });
    if (!standing) throw lost(key);
    return standing;
  }
}

/** What becomes of a build without an approved profile; null where the policy decides. It waits for a person where that is settled. */
export function onNewBuild({ siblings }: BuildStanding, setting: OnNewBuild): OnNewBuild | null {
  if (!siblings) return null;
  return setting === 'inherit' && siblings.isSettled ? 'hold' : setting;
}
