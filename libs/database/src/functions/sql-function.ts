/** A function of the schema `porin`, as the code of this version wants it: made anew by every migration (apply-functions.ts). */
export interface SqlFunction {
  readonly name: string;
  /** One or more statements; the function itself is made by CREATE OR REPLACE FUNCTION, its trigger by CREATE OR REPLACE TRIGGER. */
  readonly sql: string;
}

/** Of every function, so that no object of the caller's is ever taken for one of ours (PostgreSQL, "Writing SECURITY DEFINER Functions Safely"). */
export const SEARCH_PATH = 'SET search_path = pg_catalog, porin, pg_temp';
