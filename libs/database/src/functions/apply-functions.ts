/** Makes the functions of the schema `porin` what the code of this version says, after its migrations. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { FUNCTIONS } from './functions.js';

/** Stands as the comment of the schema: whether a database has just these functions. */
export const FUNCTIONS_DIGEST = `functions ${createHash('sha256').update(JSON.stringify(FUNCTIONS)).digest('hex')}`;

/** As the owner of the schema. Without effect where they are as they should be. */
export async function applyFunctions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ digest: string | null }>(
    `SELECT obj_description('porin'::regnamespace, 'pg_namespace') AS digest`,
  );
  if (rows[0]?.digest === FUNCTIONS_DIGEST) return;
  await client.query('BEGIN');
  try {
    await dropFunctions(client);
    for (const { sql } of FUNCTIONS) await client.query(sql);
    await client.query(`COMMENT ON SCHEMA porin IS '${FUNCTIONS_DIGEST}'`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Those that nodes call: a later version may have given one other parameters, or none of it. */
async function dropFunctions(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ signature: string }>(
    `SELECT oid::regprocedure::text AS signature FROM pg_proc
     WHERE pronamespace = 'porin'::regnamespace AND proowner = 'porin_functions'::regrole`,
  );
  for (const { signature } of rows) await client.query(`DROP FUNCTION ${signature}`);
}
