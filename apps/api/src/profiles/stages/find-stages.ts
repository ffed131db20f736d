/** Reads how approved versions stand: their stage, and what the runs under audit say so far. */
import { type AuditTerms, isUnpromoted, promotionSentence, type PromotionStanding, type Stage } from '#lib/profiles';
import { standingsOf } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { type z } from 'zod';
import { type promotion, type stage } from './stage-answer.js';

type StageAnswer = z.input<typeof stage>;

interface Row {
  readonly buildId: string;
  readonly profileId: string;
  readonly stage: Stage;
  readonly since: Date | null;
  readonly terms: AuditTerms | null;
  readonly auditOver: boolean;
}

/** By build; those without an approved version have no entry. */
export async function stagesOf(
  manager: EntityManager,
  buildIds: readonly string[],
): Promise<ReadonlyMap<string, StageAnswer>> {
  const rows: Row[] = await manager.query(
    `SELECT build_id AS "buildId", id AS "profileId", stage, stage_since AS since, audit_terms AS terms,
       audit_over AS "auditOver"
     FROM profile_version WHERE build_id = ANY ($1) AND state = 'APPROVED'`,
    [buildIds],
  );
  const standings = await standingsOf(
    manager,
    rows.flatMap(({ profileId, terms }) => (terms ? [{ id: profileId, terms }] : [])),
  );
  const now = new Date();
  return new Map(
    rows.map(({ buildId, terms, auditOver, ...row }): readonly [string, StageAnswer] => {
      const standing = standings.get(row.profileId);
      if (!terms || !standing) return [buildId, { ...row, promotion: null }];
      const isOver = auditOver || isUnpromoted(standing, terms, now);
      return [buildId, { ...row, promotion: promotionAnswer(standing, terms, isOver) }];
    }),
  );
}

function promotionAnswer(standing: PromotionStanding, terms: AuditTerms, isOver: boolean): z.input<typeof promotion> {
  const { quietRuns, inputs, runs } = standing;
  return { sentence: promotionSentence(standing), quietRuns, inputs, runs, until: terms.until, isOver };
}
