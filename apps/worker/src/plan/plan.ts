/** Decides for every executor of an attempt, before the first one starts, in which image and at which level it runs. */
import { type KeyObject } from 'node:crypto';
import { payloadCommand, resolveImage, type ResolvedImage } from '#lib/execution';
import { JobError } from '#lib/jobs';
import {
  auditKind,
  type Architecture,
  contentDigest,
  type Level,
  type Monitoring,
  type Places,
  type Profile,
  selectLevel,
} from '#lib/profiles';
import type Docker from 'dockerode';
import { type BuildRow, type Claim, type ClaimedExecutor, type PinnedBuild } from '../attempt/claim.js';
import { imageJobError } from '../attempt/job-errors.js';
import { type RestrictingNode, restrictions, type Restrictions } from './restrictions.js';
import { runPlaces } from './run-places.js';
import { type RunStore } from '../run/run-store.js';
import { verifyApproved } from './verify-approved.js';

export interface PlannedExecutor extends Restrictions {
  readonly position: number;
  readonly build: BuildRow;
  readonly image: ResolvedImage;
  readonly command: readonly string[];
  /** Over the image's own, which runExecutor adds. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly level: Level;
  readonly profileVersionId: string | null;
  /** The profile that what it does is compared with; under `audit` alone. */
  readonly audited?: Profile;
  readonly selectionReason: string;
  /** What the variables of profiles and recordings stand for in its container. */
  readonly places: Places;
}

export interface PlanOptions {
  readonly node: RestrictingNode;
  readonly docker: Docker;
  readonly runs: RunStore;
  readonly architecture: Architecture;
  readonly approvalKey: KeyObject;
  readonly offeredMonitorings: readonly Monitoring[];
  /** See grantedNames. */
  readonly beyondDefault: readonly string[];
  /** Ends what is waited for. */
  readonly signal: AbortSignal;
}

/**
 * 'hold' when an executor must wait for an approved profile; by then every executor's build is known, because the release of
 * a held job goes by them. Throws JobError.
 */
export async function planAttempt(claim: Claim, options: PlanOptions): Promise<readonly PlannedExecutor[] | 'hold'> {
  const planned: PlannedExecutor[] = [];
  let hold = false;
  for (const executor of claim.executors) {
    const plan = await planExecutor(claim, executor, options);
    if (plan === 'hold') hold = true;
    else planned.push(plan);
  }
  return hold ? 'hold' : planned;
}

async function planExecutor(
  claim: Claim,
  executor: ClaimedExecutor,
  options: PlanOptions,
): Promise<PlannedExecutor | 'hold'> {
  const { runs, architecture } = options;
  const { image, build } = await resolveBuild(claim, executor, options);
  const row = await runs.approvedProfile(build.id);
  const profile = row && verifyApproved(row, build, options.approvalKey);
  const selection = selectLevel({
    policy: executor.policy,
    approved: row && profile && { profileVersionId: row.id, digest: row.digest, auditKind: auditKind(profile) },
    requested: claim.requested,
    role: claim.role,
    calibration: claim.calibration !== null,
    offeredMonitorings: options.offeredMonitorings,
  });
  if (selection.kind === 'hold') return 'hold';
  if (selection.kind === 'refuse') throw JobError.of(selection.code, { detail: selection.message });
  const places = runPlaces(claim, image.volumes);
  const approved = row && profile && selection.profileVersionId !== null ? { id: row.id, profile } : null;
  return {
    position: executor.position,
    build,
    image,
    ...payloadCommand(image.content, executor),
    environment: executor.environment,
    level: selection.level,
    profileVersionId: selection.profileVersionId,
    ...(approved && selection.level.enforcement === 'audit' && { audited: approved.profile }),
    selectionReason: selection.reason,
    places,
    ...restrictions(selection.level, approved, {
      places,
      architecture,
      node: options.node,
      beyondDefault: options.beyondDefault,
    }),
  };
}

interface BuildImage {
  readonly image: ResolvedImage;
  readonly build: BuildRow;
}

/** What the image was once resolved to stays what the job runs, wherever its tag points by now and whoever resolved it. */
async function resolveBuild(claim: Claim, executor: ClaimedExecutor, options: PlanOptions): Promise<BuildImage> {
  const { runs, architecture } = options;
  if (executor.build) return followPinned(executor, executor.build, options);
  const image = await resolve(executor, executor.image, options);
  const build = await runs.findOrMakeBuild({
    applicationId: executor.applicationId,
    contentDigest: contentDigest(image.content),
    architecture,
    imageReference: executor.image,
    repositoryDigest: image.repositoryDigest,
  });
  const pinned = await runs.pinBuild(claim, executor.position, build.id);
  return pinned.id === build.id ? { image, build } : followPinned(executor, pinned, options);
}

async function followPinned(
  executor: ClaimedExecutor,
  { id, contentDigest: pinnedDigest, repositoryDigest }: PinnedBuild,
  options: PlanOptions,
): Promise<BuildImage> {
  const image = await resolve(executor, repositoryDigest ?? executor.image, options);
  if (contentDigest(image.content) !== pinnedDigest) {
    const detail = 'its content changed since the job was first tried. Submit the job again to run the new one.';
    throw JobError.of('image-not-found', { image: executor.image, detail });
  }
  const { applicationId } = executor;
  return { image, build: { id, applicationId, contentDigest: pinnedDigest, architecture: options.architecture } };
}

async function resolve(
  executor: ClaimedExecutor,
  reference: string,
  { docker, architecture, signal }: PlanOptions,
): Promise<ResolvedImage> {
  try {
    return await resolveImage(docker, reference, signal);
  } catch (error) {
    throw imageJobError(error, executor.image, architecture);
  }
}
