/** Statements that are sent too often for TypeORM's way to a connection: its pool itself, and the rows as they come. */
import type pg from 'pg';
import { type DataSource } from 'typeorm';

/** By a connection of the data source's pool, outside of any transaction. Rejects with what `pg` says. */
export async function rowsOf<Row extends pg.QueryResultRow>(
  { driver }: DataSource,
  sql: string,
  values: readonly unknown[],
): Promise<Row[]> {
  const { master } = driver as unknown as { readonly master: pg.Pool | undefined };
  // In the words of TypeORM, for a data source that is closed.
  if (!master) throw new Error('Driver not Connected');
  return (await master.query<Row>(sql, [...values])).rows;
}
