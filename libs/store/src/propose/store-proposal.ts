/** Writes a proposed profile version, learned or written by hand, in the place of the build's earlier proposal. */
import { Audit, ProfileVersion, ProfileVersionRecording } from '#lib/database';
import {
  additionsOf,
  type CallClass,
  type Coverage,
  type Digest,
  type Origins,
  parseProfile,
  type ProfileState,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';

export interface Proposal {
  readonly digest: Digest;
  readonly canonical: string;
  readonly coverage: Coverage;
  readonly origins: Origins;
  /** Null where the table of families had no part in it. */
  readonly familiesVersion: number | null;
  readonly conditionsTaught: boolean;
  readonly basedOn: string | null;
  /** The principal that wrote it; null where recordings made it. */
  readonly proposedBy: string | null;
}

export type StoredProposal =
  | { readonly kind: 'proposed'; readonly id: string; readonly number: number; readonly digest: Digest }
  /** There is a version of this digest already, which was decided or waits to be; or one written by hand waits. */
  | {
      readonly kind: 'known';
      readonly id: string;
      readonly number: number;
      readonly state: ProfileState;
      readonly digest: string;
    };

interface Evidence {
  readonly executorRunId: string;
  readonly digest: string;
}

/** The caller holds the build's lock. `runs`: those whose recordings it was merged from. */
export async function storeProposal(
  manager: EntityManager,
  build: { readonly id: string; readonly tenant: string },
  proposal: Proposal,
  runs: readonly Evidence[],
): Promise<StoredProposal> {
  const { digest, coverage, origins, familiesVersion, conditionsTaught, basedOn, proposedBy } = proposal;
  const evidence = { coverage, origins, familiesVersion, conditionsTaught };
  const known = await manager.findOneBy(ProfileVersion, { buildId: build.id, digest });
  if (known?.state === 'PROPOSED') {
    // The same profile on more evidence, if any.
    if (runs.length > 0) await manager.update(ProfileVersion, { id: known.id }, evidence);
    await linkRecordings(manager, known.id, runs);
  }
  // A newer table that gives the same profile has nothing to propose.
  if (known?.state === 'APPROVED' && familiesVersion !== null) {
    await manager.update(ProfileVersion, { id: known.id }, { familiesVersion });
  }
  // A decided digest is not proposed again; one that was superseded is.
  if (known && known.state !== 'SUPERSEDED') return { kind: 'known', ...pick(known) };
  const waiting = await manager.findOneBy(ProfileVersion, { buildId: build.id, state: 'PROPOSED' });
  // A version that a person wrote stays; a learned one does not replace it.
  if (waiting && waiting.proposedBy !== null && proposedBy === null) return { kind: 'known', ...pick(waiting) };
  await manager.update(ProfileVersion, { buildId: build.id, state: 'PROPOSED' }, { state: 'SUPERSEDED' });
  const state: ProfileState = 'PROPOSED';
  const additionClasses = [...(await additionClassesOf(manager, proposal))];
  let { id, number } = known ?? { id: '', number: 0 };
  if (known) {
    const undecided = {
      ...evidence,
      state,
      basedOn,
      proposedBy,
      additionClasses,
      statement: null,
      signature: null,
      decidedAt: null,
    };
    await manager.update(ProfileVersion, { id }, undecided);
  } else {
    number = ((await manager.maximum(ProfileVersion, 'number', { buildId: build.id })) ?? 0) + 1;
    const inserted = await manager.insert(ProfileVersion, {
      ...proposal,
      buildId: build.id,
      number,
      state,
      additionClasses,
    });
    ({ id } = inserted.identifiers[0] as { id: string });
  }
  await linkRecordings(manager, id, runs);
  await manager.insert(Audit, {
    ...{ tenant: build.tenant, actor: proposedBy ?? 'dispatcher', action: 'profile.propose' },
    ...{ subjectType: 'profile_version', subjectId: id },
    detail: { buildId: build.id, number, digest, recordings: runs.length },
  });
  return { kind: 'proposed', id, number, digest };
}

function pick({ id, number, state, digest }: ProfileVersion) {
  return { id, number, state, digest };
}

/** Of what it grants beyond the version that it is based on. */
async function additionClassesOf(
  manager: EntityManager,
  { canonical, basedOn }: Pick<Proposal, 'canonical' | 'basedOn'>,
): Promise<readonly CallClass[]> {
  const before = basedOn === null ? null : await manager.findOneByOrFail(ProfileVersion, { id: basedOn });
  return additionsOf(parseProfile(canonical), before && parseProfile(before.canonical)).classes;
}

async function linkRecordings(manager: EntityManager, id: string, runs: readonly Evidence[]): Promise<void> {
  if (runs.length === 0) return;
  await manager
    .createQueryBuilder()
    .insert()
    .into(ProfileVersionRecording)
    .values(runs.map(({ executorRunId, digest }) => ({ profileVersionId: id, executorRunId, recordingDigest: digest })))
    .orIgnore()
    .execute();
}
