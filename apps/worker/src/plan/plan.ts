/** Decides for every executor of an attempt, before the first one starts, in which image and at which level it runs. */
import { payloadCommand, type ResolvedImage } from '#lib/execution';
import { JobError, type WaitingReason } from '#lib/jobs';
import {
  auditKind,
  type HoldUntil,
  isAuditOver,
  type Level,
  type Monitoring,
  type Places,
  type OnDenial,
  type Profile,
  selectLevel,
  type SelectionInput,
} from '#lib/profiles';
import { type ApprovedRow, type BuildRow, type Claim, type ClaimedExecutor } from '../attempt/claim.js';
import { type ApprovalTrust } from './approval-trust.js';
import { refusesAuthority, type RestrictingNode, restrictions, type Restrictions } from './restrictions.js';
import { runPlaces } from './run-places.js';
import { onNewBuild } from './plan-store.js';
import { resolveBuild, type ResolveOptions } from './resolve-build.js';
import { type Verified, verifiedStanding } from './verify-approved.js';

export interface PlannedExecutor extends Restrictions {
  readonly position: number;
  readonly build: BuildRow;
  readonly image: ResolvedImage;
  readonly command: readonly string[];
  /** Over the image's own, which runExecutor adds. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** As the job says it. */
  readonly asked: Pick<ClaimedExecutor, 'stdin' | 'stdout' | 'stderr' | 'ignoreError'>;
  readonly level: Level;
  readonly profileVersionId: string | null;
  /** What a refused call of it leads to; null where nothing but a dangerous one has consequences. */
  readonly onDenial: OnDenial | null;
  /** What it is held to, or compared with; absent with enforcement `none`. */
  readonly profile?: Profile;
  readonly selectionReason: string;
  /** What the variables of profiles and recordings stand for in its container. */
  readonly places: Places;
}

export interface PlanOptions extends ResolveOptions {
  readonly node: RestrictingNode;
  readonly trust: ApprovalTrust;
  readonly offeredMonitorings: readonly Monitoring[];
  /** See grantedNames. */
  readonly beyondDefault: readonly string[];
}

export type Plan =
  | { readonly kind: 'run'; readonly executors: readonly PlannedExecutor[] }
  | { readonly kind: 'hold'; readonly reason: WaitingReason };
type ExecutorPlan = { readonly kind: 'run'; readonly executor: PlannedExecutor } | (Plan & { readonly kind: 'hold' });

/**
 * `hold` when an executor must wait; by then the build of every executor is known that has one, because the release of a
 * held job goes by them. Throws JobError.
 */
export async function planAttempt(claim: Claim, options: PlanOptions): Promise<Plan> {
  const plans: ExecutorPlan[] = [];
  for (const executor of claim.executors) plans.push(await planExecutor(claim, executor, options));
  const held = plans.find((plan) => plan.kind === 'hold');
  return held ?? { kind: 'run', executors: plans.flatMap((plan) => (plan.kind === 'run' ? [plan.executor] : [])) };
}

const WAITS: Readonly<Record<HoldUntil, WaitingReason>> = {
  'approved-profile': 'waiting-for-approved-profile',
  'inherited-profile': 'waiting-for-inherited-profile',
  'stage-decision': 'waiting-for-stage-decision',
};

async function planExecutor(claim: Claim, executor: ClaimedExecutor, options: PlanOptions): Promise<ExecutorPlan> {
  const { plans, architecture } = options;
  const resolved = await resolveBuild(claim, executor, options);
  if (!resolved) return { kind: 'hold', reason: 'waiting-for-known-content' };
  const { image, build, terms } = resolved;
  const ask = (knownList: string | null) => plans.buildStanding(claim, build.id, knownList);
  const { standing, verified } = await verifiedStanding(ask, build, options.trust);
  const row = standing.approved;
  if (row?.isUnderReview) return { kind: 'hold', reason: 'waiting-for-approved-profile' };
  const selection = selectLevel({
    policy: terms.policy,
    approved: row && verified && approvedInput(row, verified),
    onNewBuild: onNewBuild(standing, terms.onNewBuild),
    requested: claim.requested,
    role: claim.role,
    calibration: claim.calibration !== null,
    offeredMonitorings: options.offeredMonitorings,
  });
  if (selection.kind === 'hold') return { kind: 'hold', reason: WAITS[selection.until] };
  if (selection.kind === 'refuse') throw JobError.of(selection.code, { detail: selection.message });
  const places = runPlaces(claim, image.volumes);
  const approved = row && verified && selection.profileVersionId !== null ? { id: row.id, ...verified } : null;
  return {
    kind: 'run',
    executor: {
      position: executor.position,
      build,
      image,
      ...payloadCommand(image.content, executor),
      environment: executor.environment,
      asked: executor,
      level: selection.level,
      profileVersionId: selection.profileVersionId,
      onDenial: approved && refusesAuthority(selection.level, approved.audit) ? terms.onDenial : null,
      ...(approved && { profile: approved.profile }),
      selectionReason: selection.reason,
      places,
      ...restrictions(selection.level, approved, {
        places,
        architecture,
        node: options.node,
        beyondDefault: options.beyondDefault,
      }),
    },
  };
}

/** The time at which an audit ends is signed; that its runs were not enough only holds jobs. */
function approvedInput(row: ApprovedRow, { profile, audit }: Verified): NonNullable<SelectionInput['approved']> {
  const isOver = audit !== null && isAuditOver(audit, row.auditOver, new Date());
  return {
    profileVersionId: row.id,
    digest: row.digest,
    auditKind: auditKind(profile),
    stage: audit ? (isOver ? 'audit-over' : 'audit') : 'enforce',
  };
}
