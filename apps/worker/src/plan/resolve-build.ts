/**
 * What an executor runs: its image, the build that is of, and the application. An image that a job names is what it holds,
 * not what it is called; what it was once resolved to stays, wherever its tag points by now.
 */
import {
  type ImageRoom,
  type ImageSource,
  payloadCommand,
  type RegistryCredential,
  resolveImage,
  type ResolvedImage,
} from '#lib/execution';
import { ADHOC_PREFIX, imageAccess, type ImageLists, JobError, isSameRepository, shownName } from '#lib/jobs';
import { type Architecture, contentDigest, contentText, type Policy, UNKNOWN_CONTENT } from '#lib/profiles';
import { type ApplicationTerms, type BuildRow, type Claim, type ClaimedExecutor } from '../attempt/claim.js';
import { imageJobError } from '../attempt/job-errors.js';
import { bindContent, type Binding } from './bind-content.js';
import { type ExecutorKey, type PlanStore } from './plan-store.js';

export interface ResolveOptions {
  readonly images: ImageSource;
  /** Of this grid; a tenant's own make them narrower. */
  readonly imageLists: ImageLists;
  /** What images of the job's tenant may take here. */
  readonly room: ImageRoom;
  /** Of this attempt alone. */
  readonly registries: readonly RegistryCredential[];
  readonly plans: PlanStore;
  readonly architecture: Architecture;
  /** Ends what is waited for. */
  readonly signal: AbortSignal;
}

interface BuildImage {
  readonly image: ResolvedImage;
  readonly build: BuildRow;
}
export interface ResolvedBuild extends BuildImage {
  /** Of the application that the build is of, which the job need not have named. */
  readonly terms: ApplicationTerms;
}

/**
 * Null where the content is not known, and the job must wait for an administrator, who registers it or says what becomes of
 * such jobs. What an earlier attempt stored is followed only where this node finds the same: that attempt's node is not
 * believed. Throws JobError content-unknown, build-mismatch, image-*.
 */
export async function resolveBuild(
  claim: Claim,
  executor: ClaimedExecutor,
  options: ResolveOptions,
): Promise<ResolvedBuild | null> {
  const { plans, architecture } = options;
  const image = await resolve(claim, executor, options);
  const digest = contentDigest(image.content);
  if (executor.build && executor.build.contentDigest !== digest) {
    throw mismatch(executor, 'its content is not what it was when the job was first tried.');
  }
  const applicationId = await applicationOf(claim, executor, image, options);
  if (applicationId === null) return null;
  const pinned = await plans.pinBuild(keyOf(claim, executor), {
    applicationId,
    content: contentText(image.content),
    repositoryDigest: ofNamedRepository(image.repositoryDigest, executor),
  });
  // Stored since the claim: that counts.
  if (!executor.build && pinned.contentDigest !== digest) {
    return resolveBuild(claim, { ...executor, build: pinned }, options);
  }
  if (pinned.contentDigest !== digest || pinned.applicationId !== applicationId) {
    throw mismatch(executor, 'it was taken for a build of another application when the job was first tried.');
  }
  const build = { id: pinned.id, applicationId, contentDigest: digest, architecture };
  return withTerms(claim, executor, { image, build }, options);
}

function keyOf({ jobId, number }: Claim, { position }: ClaimedExecutor): ExecutorKey {
  return { jobId, number, position };
}

/** Null for an image that the executor does not name. */
function ofNamedRepository(repositoryDigest: string | null, { image }: ClaimedExecutor): string | null {
  return repositoryDigest !== null && isSameRepository(repositoryDigest, image) ? repositoryDigest : null;
}

function mismatch({ image }: ClaimedExecutor, detail: string): JobError {
  return JobError.of('build-mismatch', { image, detail });
}

/** A job without an application is under the stricter of its ad hoc application's policy and the tenant's word on such content. */
async function withTerms(
  claim: Claim,
  executor: ClaimedExecutor,
  found: BuildImage,
  { plans }: ResolveOptions,
): Promise<ResolvedBuild> {
  const { applicationId } = found.build;
  const terms = applicationId === executor.applicationId ? executor : await plans.applicationTerms(applicationId);
  if (!isAdhoc(terms)) return { ...found, terms };
  return { ...found, terms: { ...terms, policy: stricter(terms.policy, claim.tenantTerms.unknownContent) } };
}

function isAdhoc({ applicationName }: ApplicationTerms): boolean {
  return applicationName.startsWith(ADHOC_PREFIX);
}

function stricter(one: Policy, other: Policy): Policy {
  return UNKNOWN_CONTENT.indexOf(one) < UNKNOWN_CONTENT.indexOf(other) ? other : one;
}

/** Of a job without an application, see bindContent. Null where it must wait. Throws JobError content-unknown. */
async function applicationOf(
  claim: Claim,
  executor: ClaimedExecutor,
  image: ResolvedImage,
  { plans }: ResolveOptions,
): Promise<string | null> {
  const { applicationId } = executor;
  if (!isAdhoc(executor)) return applicationId;
  const { content } = image;
  const { command } = payloadCommand(content, executor);
  const known = { contentDigest: contentDigest(content), layers: content.layerDiffIds };
  // What is approved is enforced, whoever else has the content.
  const { owners, isApproved } = await plans.contentStanding(keyOf(claim, executor), known);
  const binding = bindContent(command, owners);
  if (binding.kind === 'application') {
    return binding.hasApproved || !isApproved ? binding.applicationId : applicationId;
  }
  // Stored by an earlier attempt: what the tenant says of unknown content since then is in the terms.
  if (binding.kind === 'unknown' && executor.build?.applicationId === applicationId) return applicationId;
  // Whoever may ask for less enforcement may run what is not known.
  const isLowered = claim.role === 'admin' && claim.requested.enforcement === 'none';
  if (isLowered || isApproved) return applicationId;
  const setting = claim.tenantTerms.unknownContent;
  if (setting === 'refuse') throw JobError.of('content-unknown', { detail: refusalOf(executor, binding) });
  return binding.kind === 'unknown' && setting === 'learn' ? applicationId : null;
}

function refusalOf({ image }: ClaimedExecutor, binding: Exclude<Binding, { kind: 'application' }>): string {
  if (binding.kind === 'unknown') {
    return `The image ${shownName(image)} is of no registered application, and only those run here. Ask an administrator to register it.`;
  }
  const { name, commandPrefix, match } = binding.owner;
  return match === 'content' && commandPrefix.length > 0
    ? `The image ${shownName(image)} is that of the application ${name}, whose commands begin with "${commandPrefix.join(' ')}". Name the application.`
    : `The image ${shownName(image)} is built on that of the application ${name}. Name the application, or ask an administrator to register the image.`;
}

/** What it was first resolved to, wherever its tag points by now; never an image that it does not name. */
async function resolve(
  claim: Claim,
  executor: ClaimedExecutor,
  { images, imageLists, room, registries, architecture, signal }: ResolveOptions,
): Promise<ResolvedImage> {
  const reference = ofNamedRepository(executor.build?.repositoryDigest ?? null, executor) ?? executor.image;
  const { imageLists: ownLists } = claim.tenantTerms;
  try {
    return await resolveImage(images, reference, {
      accessOf: (name) => imageAccess(name, imageLists, ownLists),
      signal,
      room,
      credentials: registries,
    });
  } catch (error) {
    throw imageJobError(error, executor.image, architecture);
  }
}
