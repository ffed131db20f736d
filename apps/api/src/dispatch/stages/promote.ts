/** Enforces versions whose audit was quiet for long enough, by a statement signed anew. */
import { type KeyObject } from 'node:crypto';
import { isUnpromoted, promotionSentence } from '#lib/profiles';
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
     WHERE version.state = 'APPROVED' AND version.stage = 'audit'
       AND (version.audit_terms->>'until')::timestamptz > now()
       AND (SELECT count(*) ${AUDITED_RUNS}) BETWEEN (version.audit_terms->>'quietRuns')::int AND (version.audit_terms->>'runs')::int
     ORDER BY version.stage_since`,
  );
  return rows.map(({ id }) => id);
}

/** Whether it was promoted. What counts are the terms that were signed. */
export async function promote(manager: EntityManager, signingKey: KeyObject, versionId: string): Promise<boolean> {
  const version = await lockVersion(manager, versionId);
  if (version?.state !== 'APPROVED') return false;
  const terms = verifiedAudit(signingKey, version);
  if (!terms) return false;
  const standing = (await standingsOf(manager, [{ id: versionId, terms }])).get(versionId);
  if (!standing?.isReached || isUnpromoted(standing, terms, new Date())) return false;
  await writeDecision(manager, signingKey, version, {
    kind: 'approved',
    from: 'APPROVED',
    audit: null,
    reason: promotionSentence(standing),
    by: { rule: 'promotion' },
  });
  await releaseHeldJobs(manager);
  return true;
}
