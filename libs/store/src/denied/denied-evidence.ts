/** What runs of a build were refused, as evidence of the next version; jobs that no version helps end here. */
import { ProfileVersion } from '#lib/database';
import { type MergeOptions, parseProfile, type ProfileState } from '#lib/profiles';
import { type EntityManager, In } from 'typeorm';
import { endJobsOfRuns } from '../held/denied-jobs.js';
import { type DeniedRecording } from './choose-evidence.js';
import { evidentRuns, type RefusedRun } from './denied-runs.js';
import { evidenceRecording, judgeDenied } from './judge-denied.js';

export interface DeniedEvidence {
  /** Runs that were evidence before come first, new runs after them; both from the oldest on. */
  readonly all: readonly DeniedRecording[];
  /** Digests of the build's versions that were decided against. */
  readonly declined: ReadonlyMap<string, ProfileState>;
}

export const NO_EVIDENCE: DeniedEvidence = { all: [], declined: new Map() };

/** `refused`: runs that are looked at for the first time. */
export async function deniedEvidence(
  manager: EntityManager,
  build: Parameters<typeof evidentRuns>[1],
  approved: ProfileVersion,
  { refused, merge: options }: { readonly refused: readonly RefusedRun[]; readonly merge: MergeOptions },
): Promise<DeniedEvidence> {
  const declined = await declinedDigests(manager, build.id);
  const basedOn = options.basedOn ?? parseProfile(approved.canonical);
  const merge = { ...options, basedOn, basedOnTaught: approved.conditionsTaught };
  const judged = refused.map((run) => judgeDenied(run, { merge, approved, declined }));
  for (const { executorRunId, reason } of judged.filter((each) => each.kind === 'hopeless')) {
    await endJobsOfRuns(manager, [executorRunId], reason);
  }
  const fresh = judged.filter((each) => each.kind === 'evidence');
  const looked = new Set(refused.map(({ executorRunId }) => executorRunId));
  const known = (await evidentRuns(manager, build, approved.id)).flatMap((run) => {
    if (looked.has(run.executorRunId)) return [];
    const recording = evidenceRecording(run, merge);
    return recording ? [{ executorRunId: run.executorRunId, submittedBy: run.submittedBy, recording }] : [];
  });
  return { all: [...known, ...fresh], declined };
}

async function declinedDigests(manager: EntityManager, buildId: string): Promise<ReadonlyMap<string, ProfileState>> {
  const versions = await manager.find(ProfileVersion, {
    where: { buildId, state: In(['REJECTED', 'REVOKED']) },
    select: { id: true, digest: true, state: true },
  });
  return new Map(versions.map(({ digest, state }) => [digest, state]));
}
