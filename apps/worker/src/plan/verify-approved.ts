/** Believes a profile from the database only when its digest is right, and the approval of it verifies and still counts. */
import { JobError } from '#lib/jobs';
import { type AuditTerms, parseProfile, type Profile, sha256, standingIn, verifyApproval } from '#lib/profiles';
import { type ApprovedRow, type BuildRow } from '../attempt/claim.js';
import { type ApprovalTrust } from './approval-trust.js';
import { type BuildStanding } from './plan-store.js';

/** What an approval vouches for. */
export interface Verified {
  readonly profile: Profile;
  /** Null where it is enforced. */
  readonly audit: AuditTerms | null;
}

/** What is approved for a build, and what of it is believed. */
export interface VerifiedStanding {
  readonly standing: BuildStanding;
  /** Null where nothing is approved, and for what an administrator decides about again. */
  readonly verified: Verified | null;
}

/**
 * Asks what is approved for the build. Asks again where the node saw a newer list of approvals in the meantime, as another
 * attempt may: the answer is then older than that. Throws JobError profile-integrity or profile-signature; then nothing is run.
 */
export async function verifiedStanding(
  ask: (knownList: string | null) => Promise<BuildStanding>,
  build: BuildRow,
  trust: ApprovalTrust,
): Promise<VerifiedStanding> {
  const knownList = trust.signature;
  const standing = await ask(knownList);
  const row = standing.approved;
  if (!row || row.isUnderReview) return { standing, verified: null };
  const isOvertaken = trust.signature !== knownList;
  try {
    return { standing, verified: verifyApproved(row, build, trust) };
  } catch (error) {
    if (isOvertaken) return verifiedStanding(ask, build, trust);
    throw error;
  }
}

/** Throws JobError profile-integrity or profile-signature. */
export function verifyApproved(row: ApprovedRow, build: BuildRow, trust: ApprovalTrust): Verified {
  const digest = sha256(row.canonical);
  if (digest !== row.digest) throw integrity(row, 'its text does not have the digest that it is stored with.');
  const keys = trust.keys();
  const list = trust.accept(row.list, keys);
  const verdict = verifyApproval(keys, row, {
    application: build.applicationId,
    contentDigest: build.contentDigest,
    architecture: build.architecture,
    profileDigest: digest,
  });
  if (verdict.kind === 'bad-signature') throw JobError.of('profile-signature', { profileVersion: row.id });
  if (verdict.kind === 'other-subject') throw integrity(row, 'the approval is for another profile or another build.');
  if (typeof list === 'string') throw integrity(row, list);
  const { statement } = verdict;
  const standing = standingIn(list, statement);
  if (standing !== 'current') throw integrity(row, STANDINGS[standing]);
  const profile = parseTrusted(row);
  if (profile.architecture !== build.architecture) throw integrity(row, `it is for ${profile.architecture}.`);
  return { profile, audit: verdict.audit };
}

const STANDINGS = {
  withdrawn: 'its approval was superseded or revoked, and somebody put it back.',
  'unknown-to-the-list': 'its approval is newer than the list of approvals: somebody put an older list back.',
} as const;

function parseTrusted(row: ApprovedRow): Profile {
  try {
    return parseProfile(row.canonical);
  } catch (cause) {
    throw integrity(row, `it cannot be understood by this version of Porin: ${(cause as Error).message}.`);
  }
}

function integrity({ id }: ApprovedRow, detail: string): JobError {
  const found = `profile version ${id}: ${detail} Nothing was run. Look for who changed it.`;
  return JobError.of('profile-integrity', { detail: found });
}
