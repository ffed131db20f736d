/** What a worker knows of the job whose attempt it has claimed. */
import { type ImageLists, type InputReference, type OutputReference, type PublishOn } from '#lib/jobs';
import {
  type Architecture,
  type Enforcement,
  type Monitoring,
  type OnDenial,
  type OnNewBuild,
  type Policy,
  type SelectionInput,
  type UnknownContent,
} from '#lib/profiles';
import { type StoredList } from '../plan/approval-trust.js';
import { type SecretKind } from '#lib/secrets';
import { type StagedOutput } from '#lib/staging';
import { type Share } from '../node/resources.js';
import { type AttemptKey } from './attempt-key.js';

/** What an application says of its jobs. */
export interface ApplicationTerms {
  readonly applicationId: string;
  readonly applicationName: string;
  readonly policy: Policy;
  readonly onDenial: OnDenial;
  readonly onNewBuild: OnNewBuild;
}

/** With the terms of the application that the job was submitted as, whatever its image was bound to. */
export interface ClaimedExecutor extends ApplicationTerms {
  readonly position: number;
  readonly image: string;
  /** The application's prefix included; empty means the image's own entrypoint and command. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | null;
  /** Paths in the container. */
  readonly stdin: string | null;
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly ignoreError: boolean;
  /** What an earlier attempt resolved the image to. */
  readonly build: PinnedBuild | null;
}

/** The build that an executor's image was resolved to, once and for all attempts. */
export interface PinnedBuild {
  readonly id: string;
  readonly applicationId: string;
  readonly contentDigest: string;
  /** What the executor's own image reference was resolved to; null for an image that came from no registry. */
  readonly repositoryDigest: string | null;
}

/** What was sealed for this attempt alone (libs/secrets). */
export interface ClaimedSecret {
  readonly name: string;
  readonly kind: SecretKind;
  readonly prefix: string;
  readonly sealed: string;
}

/** A manifest that an earlier attempt of the job has stored. */
export interface Publication {
  readonly outputs: readonly (StagedOutput & { readonly isPublished: boolean })[];
}

/** What an attempt may have left beside the targets of its job's outputs. */
export interface Staging extends AttemptKey {
  readonly token: string;
  /** The files that it staged, or was to. */
  readonly outputs: readonly OutputReference[];
}

/** What nobody goes on from. */
export interface AbandonedStaging extends Staging {
  /** S3 secrets of its job, once the dispatcher has sealed them for this. */
  readonly secrets: readonly ClaimedSecret[];
}

/** Beside the node's own. */
export interface TenantPrefixes {
  /** Null: the node's. */
  readonly inputPrefixes: readonly string[] | null;
  readonly outputPrefixes: readonly string[] | null;
  /** Of other tenants. */
  readonly foreignPrefixes: readonly string[];
}

/** A tenant's own lists of what may be run; null: the node's list alone. */
export type OwnImageLists = { readonly [List in keyof ImageLists]: ImageLists[List] | null };

/** What the job's tenant says of its jobs, at the claim. */
export interface TenantTerms extends TenantPrefixes {
  readonly imageLists: OwnImageLists;
  /** Of what its jobs have pulled to this node, unpacked. */
  readonly maximumImageBytes: number;
  /** What jobs on content get that nobody knows. */
  readonly unknownContent: UnknownContent;
}

export interface Claim extends AttemptKey {
  readonly tenant: string;
  readonly share: Share;
  /** For the payloads of this attempt together, seconds. */
  readonly wallTimeS: number;
  readonly inputs: readonly InputReference[];
  readonly outputs: readonly OutputReference[];
  readonly volumes: readonly string[];
  readonly publishOn: PublishOn;
  /** Of an earlier attempt, to be carried out and nothing else; null where there is none. */
  readonly publication: Publication | null;
  /** What earlier attempts may have left. */
  readonly earlierStagings: readonly Staging[];
  readonly tenantTerms: TenantTerms;
  readonly role: SelectionInput['role'];
  readonly requested: { readonly enforcement?: Enforcement; readonly monitoring?: Monitoring };
  readonly calibration: string | null;
  readonly block: number | null;
  readonly queueMs: number;
  readonly secrets: readonly ClaimedSecret[];
  readonly executors: readonly [ClaimedExecutor, ...ClaimedExecutor[]];
}

export interface BuildRow {
  readonly id: string;
  readonly applicationId: string;
  readonly contentDigest: string;
  readonly architecture: Architecture;
}

/** The approved profile of a build as it stands in the database: not to be believed before it is verified. */
export interface ApprovedRow {
  readonly id: string;
  readonly digest: string;
  readonly canonical: string;
  readonly statement: string;
  readonly signature: string;
  /** Its audit had its runs and was not promoted, as the dispatcher found. */
  readonly auditOver: boolean;
  /** Its approval was not signed anew after a change of keys: jobs wait until a person approves it again. */
  readonly isUnderReview: boolean;
  /** What says which approvals still count, read together with this row; null where there is none. */
  readonly list: StoredList | null;
}
