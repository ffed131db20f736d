/** The mark of a restore that has begun and is not finished: it lies outside the schema that is restored, and nothing runs on it. */
import type pg from 'pg';

/** A schema of its own, which every role can see to be there. */
export const RESTORE_MARK = 'porin_restore';

export const UNFINISHED_RESTORE =
  'A restore of this database was begun and not finished. After pg_restore, run "porin-admin restore finish"; ' +
  'to begin anew, run "porin-admin restore <file> --replace".';

/** What the replaced grid leaves to the restored one. */
export interface RestoreMark {
  /** The last number of its decisions; 0 where there was none. */
  readonly sequence: number;
}

export async function isRestoreUnfinished(owner: pg.ClientBase): Promise<boolean> {
  const { rows } = await owner.query<{ there: boolean }>(
    `SELECT to_regnamespace('${RESTORE_MARK}') IS NOT NULL AS there`,
  );
  return rows[0]?.there ?? false;
}

/** In the transaction that removes what was there before. A mark of an earlier try keeps what it says. */
export async function markRestore(owner: pg.ClientBase, { sequence }: RestoreMark): Promise<void> {
  await owner.query(`CREATE SCHEMA IF NOT EXISTS ${RESTORE_MARK}`);
  await owner.query(`CREATE TABLE IF NOT EXISTS ${RESTORE_MARK}.replaced (sequence bigint NOT NULL)`);
  await owner.query(`INSERT INTO ${RESTORE_MARK}.replaced VALUES ($1)`, [sequence]);
}

/** Undefined where no restore was begun. */
export async function readRestoreMark(owner: pg.ClientBase): Promise<RestoreMark | undefined> {
  if (!(await isRestoreUnfinished(owner))) return undefined;
  const { rows } = await owner.query<{ sequence: string }>(
    `SELECT coalesce(max(sequence), 0) AS sequence FROM ${RESTORE_MARK}.replaced`,
  );
  return { sequence: Number(rows[0]?.sequence) };
}

/** In the transaction that finishes the restore. */
export async function removeRestoreMark(owner: pg.ClientBase): Promise<void> {
  await owner.query(`DROP SCHEMA ${RESTORE_MARK} CASCADE`);
}
