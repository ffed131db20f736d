/** Proposes what a seccomp document of another engine allows as the next version of a build. */
import { ProfileVersion } from '#lib/database';
import {
  canonicalProfile,
  type ImportedRules,
  type ImportFormat,
  importOci,
  type ImportReport,
  parseProfile,
  type Profile,
  ProfileError,
} from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { type Caller } from '../../auth/caller.js';
import { PorinError } from '../../errors/porin-error.js';
import { type BuildRow, lockBuild, proposeByHand } from './propose-edited.js';

export interface ImportedVersion {
  readonly id: string;
  readonly report: ImportReport;
}

/** Throws not-found, profile-malformed, profile-uncompilable, wrong-profile-state. */
export async function proposeImported(
  manager: EntityManager,
  caller: Caller,
  applicationId: string,
  body: { readonly buildId: string; readonly format?: ImportFormat | undefined; readonly seccomp: unknown },
): Promise<ImportedVersion> {
  const build = await lockBuild(manager, caller.tenant, applicationId, body.buildId);
  const { rules, report } = imported(body.seccomp, build, body.format);
  const approved = await manager.findOneBy(ProfileVersion, { buildId: build.id, state: 'APPROVED' });
  const beyondCalls = approved === null ? {} : membersBeyondCalls(parseProfile(approved.canonical));
  const kept = Object.keys(beyondCalls);
  const profile: Profile = { version: 1, architecture: build.architecture, rules, network: 'none', ...beyondCalls };
  const id = await proposeByHand(manager, caller, build, parseProfile(canonicalProfile(profile)));
  const note = `Of the approved version were kept, because such documents say nothing about them: ${kept.join(', ')}.`;
  return { id, report: kept.length === 0 ? report : { ...report, notes: [...report.notes, note] } };
}

function imported(json: unknown, { architecture }: BuildRow, format: ImportFormat | undefined): ImportedRules {
  try {
    return importOci(json, { architecture, ...(format && { format }) });
  } catch (error) {
    if (error instanceof ProfileError) throw new PorinError('profile-malformed', `${error.message}.`);
    throw error;
  }
}

/** Without them the new version would be wider than the approved one in what nobody spoke of. */
function membersBeyondCalls({
  files,
  landlockMinimum,
  pids,
}: Profile): Pick<Profile, 'files' | 'landlockMinimum' | 'pids'> {
  return {
    ...(files && { files }),
    ...(landlockMinimum && { landlockMinimum }),
    ...(pids !== undefined && { pids }),
  };
}
