/**
 * What an executor runs: its image, the build that is of, and the application. An image that a job names is what it holds,
 * not what it is called; what it was once resolved to stays, wherever its tag points by now and whoever resolved it.
 */
import { type ImageSource, payloadCommand, resolveImage, type ResolvedImage } from '#lib/execution';
import { ADHOC_PREFIX, imageAccess, type ImageLists, JobError } from '#lib/jobs';
import { type Architecture, contentDigest, type Policy, UNKNOWN_CONTENT } from '#lib/profiles';
import {
  type ApplicationTerms,
  type BuildRow,
  type Claim,
  type ClaimedExecutor,
  type PinnedBuild,
} from '../attempt/claim.js';
import { imageJobError } from '../attempt/job-errors.js';
import { bindContent, type Binding } from './bind-content.js';
import { type PlanStore } from './plan-store.js';

export interface ResolveOptions {
  readonly images: ImageSource;
  /** Of this grid; a tenant's own make them narrower. */
  readonly imageLists: ImageLists;
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
 * such jobs. Throws JobError content-unknown, image-*.
 */
export async function resolveBuild(
  claim: Claim,
  executor: ClaimedExecutor,
  options: ResolveOptions,
): Promise<ResolvedBuild | null> {
  const { plans, architecture } = options;
  if (executor.build)
    return withTerms(claim, executor, await followPinned(claim, executor, executor.build, options), options);
  const image = await resolve(claim, executor, executor.image, options);
  const applicationId = await applicationOf(claim, executor, image, options);
  if (applicationId === null) return null;
  const build = await plans.findOrMakeBuild({
    applicationId,
    contentDigest: contentDigest(image.content),
    architecture,
    imageReference: executor.image,
    repositoryDigest: image.repositoryDigest,
    layers: [...image.content.layerDiffIds],
  });
  const pinned = await plans.pinBuild(claim, executor.position, build.id);
  const found = pinned.id === build.id ? { image, build } : await followPinned(claim, executor, pinned, options);
  return withTerms(claim, executor, found, options);
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
  return { ...found, terms: { ...terms, policy: stricter(terms.policy, await plans.unknownContent(claim.tenant)) } };
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
  { plans, architecture }: ResolveOptions,
): Promise<string | null> {
  const { applicationId } = executor;
  if (!isAdhoc(executor)) return applicationId;
  const { content } = image;
  const { command } = payloadCommand(content, executor);
  const known = { contentDigest: contentDigest(content), architecture, layers: content.layerDiffIds };
  const binding = bindContent(command, await plans.contentOwners(claim.tenant, known, executor.image));
  if (binding.kind === 'application') return binding.applicationId;
  // Whoever may ask for less enforcement may run what is not known.
  const isLowered = claim.role === 'admin' && claim.requested.enforcement === 'none';
  if (isLowered) return applicationId;
  // What is approved is enforced, whoever else has the content.
  if (await plans.hasApprovedBuild(applicationId, known)) return applicationId;
  const setting = await plans.unknownContent(claim.tenant);
  if (setting === 'refuse') throw JobError.of('content-unknown', { detail: refusalOf(executor, binding) });
  return binding.kind === 'unknown' && setting === 'learn' ? applicationId : null;
}

function refusalOf({ image }: ClaimedExecutor, binding: Exclude<Binding, { kind: 'application' }>): string {
  if (binding.kind === 'unknown') {
    return `The image ${image} is of no registered application, and only those run here. Ask an administrator to register it.`;
  }
  const { name, commandPrefix, match } = binding.owner;
  return match === 'content' && commandPrefix.length > 0
    ? `The image ${image} is that of the application ${name}, whose commands begin with "${commandPrefix.join(' ')}". Name the application.`
    : `The image ${image} is built on that of the application ${name}. Name the application, or ask an administrator to register the image.`;
}

async function followPinned(
  claim: Claim,
  executor: ClaimedExecutor,
  { id, applicationId, contentDigest: pinnedDigest, repositoryDigest }: PinnedBuild,
  options: ResolveOptions,
): Promise<BuildImage> {
  const image = await resolve(claim, executor, repositoryDigest ?? executor.image, options);
  if (contentDigest(image.content) !== pinnedDigest) {
    const detail = 'its content changed since the job was first tried. Submit the job again to run the new one.';
    throw JobError.of('image-not-found', { image: executor.image, detail });
  }
  return { image, build: { id, applicationId, contentDigest: pinnedDigest, architecture: options.architecture } };
}

async function resolve(
  { tenant }: Claim,
  executor: ClaimedExecutor,
  reference: string,
  { images, imageLists, plans, architecture, signal }: ResolveOptions,
): Promise<ResolvedImage> {
  try {
    const own = await plans.imageLists(tenant);
    return await resolveImage(images, reference, { accessOf: (name) => imageAccess(name, imageLists, own), signal });
  } catch (error) {
    throw imageJobError(error, executor.image, architecture);
  }
}
