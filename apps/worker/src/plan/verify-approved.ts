/** Believes a profile from the database only when its digest is right and the approval of it verifies. */
import { type KeyObject } from 'node:crypto';
import { JobError } from '#lib/jobs';
import { type AuditTerms, parseProfile, type Profile, sha256, verifyApproval } from '#lib/profiles';
import { type ApprovedRow, type BuildRow } from '../attempt/claim.js';

/** What an approval vouches for. */
export interface Verified {
  readonly profile: Profile;
  /** Null where it is enforced. */
  readonly audit: AuditTerms | null;
}

/** Throws JobError profile-integrity or profile-signature; then nothing is run. */
export function verifyApproved(row: ApprovedRow, build: BuildRow, approvalKey: KeyObject): Verified {
  const digest = sha256(row.canonical);
  if (digest !== row.digest) throw integrity(row, 'its text does not have the digest that it is stored with.');
  const verdict = verifyApproval(approvalKey, row, {
    application: build.applicationId,
    contentDigest: build.contentDigest,
    architecture: build.architecture,
    profileDigest: digest,
  });
  if (verdict.kind === 'bad-signature') throw JobError.of('profile-signature', { profileVersion: row.id });
  if (verdict.kind === 'other-subject') throw integrity(row, 'the approval is for another profile or another build.');
  const profile = parseTrusted(row);
  if (profile.architecture !== build.architecture) throw integrity(row, `it is for ${profile.architecture}.`);
  return { profile, audit: verdict.audit };
}

function parseTrusted(row: ApprovedRow): Profile {
  try {
    return parseProfile(row.canonical);
  } catch (cause) {
    throw integrity(row, `it cannot be understood by this version of Porin: ${(cause as Error).message}.`);
  }
}

function integrity({ id }: ApprovedRow, detail: string): JobError {
  return JobError.of('profile-integrity', { profileVersion: id, detail });
}
