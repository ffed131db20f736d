/** Enforces versions whose audit was quiet for long enough, by a statement signed anew, or says that an audit is over. */
import { type KeyObject } from 'node:crypto';
import { ProfileVersion } from '#lib/database';
import { isSpent, isUnpromoted, promotionSentence } from '#lib/profiles';
import { type EntityManager } from 'typeorm';
import { lockVersion } from '../../profiles/stages/locked-version.js';
import { standingsOf } from '../../profiles/stages/find-stages.js';
import { verifiedAudit, writeDecision } from '../../profiles/stages/write-decision.js';
import { AUDITED_RUNS } from '../../profiles/stages/build-sql.js';
import { releaseHeldJobs } from '../held/release-held.js';

/** Versions with as many runs as their terms ask for: which of these were quiet is looked at one by one. */
export async function audited(manager: EntityManager): Promise<readonly string[]> {
  const rows: { id: string }[] = await manager.query(
    `SELECT version.id FROM profile_version AS version
     WHERE version.state = 'APPROVED' AND version.stage = 'audit' AND NOT version.audit_over
       AND (version.audit_terms->>'until')::timestamptz > now()
       AND (SELECT count(*) ${AUDITED_RUNS}) >= (version.audit_terms->>'quietRuns')::int
     ORDER BY version.stage_since`,
  );
  return rows.map(({ id }) => id);
}

/** What it came to, if anything. What counts are the terms that were signed. */
export async function promote(
  manager: EntityManager,
  signingKey: KeyObject,
  versionId: string,
): Promise<'promoted' | 'over' | undefined> {
  const version = await lockVersion(manager, versionId);
  if (version?.state !== 'APPROVED' || version.auditOver) return undefined;
  const terms = verifiedAudit(signingKey, version);
  if (!terms) return undefined;
  const standing = (await standingsOf(manager, [{ id: versionId, terms }])).get(versionId);
  if (!standing) return undefined;
  if (isSpent(standing)) {
    await manager.update(ProfileVersion, { id: versionId }, { auditOver: true });
    return 'over';
  }
  if (!standing.isReached || isUnpromoted(standing, terms, new Date())) return undefined;
  await writeDecision(manager, signingKey, version, {
    kind: 'approved',
    from: 'APPROVED',
    audit: null,
    reason: promotionSentence(standing),
    by: { rule: 'promotion' },
  });
  await releaseHeldJobs(manager);
  return 'promoted';
}
