/** Proposes a whole profile that an administrator wrote: the way in for conditions and minima that no recording teaches. */
import { ProfileVersion } from '#lib/database';
import {
  allowedNames,
  type Architecture,
  canonicalProfile,
  type Coverage,
  fileCoverageKey,
  isQuietlyRefusable,
  type Origins,
  parseProfile,
  type Profile,
  profileDigest,
  ProfileError,
  refusalsByName,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { mayPropose, POSTPONED, storeProposal, uncompilable } from '#lib/store';

export interface BuildRow {
  readonly id: string;
  readonly tenant: string;
  readonly architecture: Architecture;
}

/** The id of the proposed version. Throws not-found, profile-malformed, profile-uncompilable, wrong-profile-state. */
export async function proposeEdited(
  manager: EntityManager,
  caller: Caller,
  applicationId: string,
  { buildId, profile: json }: { readonly buildId: string; readonly profile: unknown },
): Promise<string> {
  const build = await lockBuild(manager, caller.tenant, applicationId, buildId);
  return proposeByHand(manager, caller, build, parsed(json));
}

/** The caller holds the build's lock. Throws profile-malformed, profile-uncompilable, wrong-profile-state. */
export async function proposeByHand(
  manager: EntityManager,
  caller: Caller,
  build: BuildRow,
  profile: Profile,
): Promise<string> {
  const buildId = build.id;
  if (profile.architecture !== build.architecture) {
    throw new PorinError(
      'profile-malformed',
      `The build is of ${build.architecture}, the profile of ${profile.architecture}.`,
    );
  }
  const loud = [...refusalsByName(profile.rules).keys()].filter((name) => !isQuietlyRefusable(name));
  if (loud.length > 0) {
    throw new PorinError(
      'profile-malformed',
      `Only calls that the container engine refuses anyway, and reviewed probes, can be refused without a report (SCMP_ACT_ERRNO), not ${loud.join(', ')}. Leave them out: what a profile does not allow is refused.`,
    );
  }
  const problem = uncompilable(profile);
  if (problem !== null) throw PorinError.of('profile-uncompilable', { profile: 'this profile', detail: problem });
  if (!(await mayPropose(manager, build))) {
    throw new PorinError('too-many-proposals', `This cannot be proposed: ${POSTPONED}.`);
  }
  const approved = await manager.findOneBy(ProfileVersion, { buildId, state: 'APPROVED' });
  const stored = await storeProposal(
    manager,
    build,
    {
      digest: profileDigest(profile),
      canonical: canonicalProfile(profile),
      coverage: unseen(profile),
      origins: originsOf(profile, approved?.origins ?? {}),
      familiesVersion: null,
      conditionsTaught: true,
      basedOn: approved?.id ?? null,
      proposedBy: caller.principalId,
    },
    [],
  );
  if (stored.kind === 'known' && stored.state !== 'PROPOSED') {
    throw new PorinError(
      'wrong-profile-state',
      `This profile is version ${stored.number} of the build, which is ${stored.state}: that is decided.`,
    );
  }
  return stored.id;
}

/** The build's lock makes proposals and decisions of one build follow one another. */
export async function lockBuild(
  manager: EntityManager,
  tenant: string,
  applicationId: string,
  id: string,
): Promise<BuildRow> {
  const rows: BuildRow[] = await manager.query(
    `SELECT build.id, application.tenant, build.architecture
     FROM build JOIN application ON application.id = build.application_id
     WHERE build.id = $1 AND application.id = $2 AND application.tenant = $3 FOR NO KEY UPDATE OF build`,
    [id, applicationId, tenant],
  );
  const [build] = rows;
  if (!build) throw new PorinError('not-found', `There is no build ${id} of application ${applicationId}.`);
  return build;
}

function parsed(json: unknown): Profile {
  try {
    return parseProfile(JSON.stringify(json));
  } catch (error) {
    if (error instanceof ProfileError) throw new PorinError('profile-malformed', `${error.message}.`);
    throw error;
  }
}

/** Calls of the approved version count as inherited, even if the person changed their conditions. */
function originsOf(profile: Profile, before: Origins): Origins {
  const names = [...allowedNames(profile), ...refusalsByName(profile.rules).keys()];
  const byHand = { origin: 'by hand' } as const;
  return Object.fromEntries(
    names.map((name) => [name, before[name] ? { ...before[name], origin: 'inherited' } : byHand]),
  );
}

/** Nothing was seen of it: no recording made it. */
function unseen(profile: Profile): Coverage {
  const keys = [...allowedNames(profile), ...(profile.files ?? []).map(({ path }) => fileCoverageKey(path))];
  return Object.fromEntries(keys.map((key) => [key, { seenIn: 0, of: 0 }]));
}
