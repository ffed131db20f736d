/** NOTIFY cannot be authorised, so it carries nothing: whoever is woken looks up what there is to do. */
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** A trigger that the first migration made calls it. */
export const WAKE_UPS: readonly SqlFunction[] = [
  {
    name: 'notify_cancel',
    sql: `
CREATE OR REPLACE FUNCTION porin.notify_cancel() RETURNS trigger LANGUAGE plpgsql ${SEARCH_PATH} AS $$
BEGIN
  PERFORM pg_notify('porin_cancel', '');
  RETURN NULL;
END $$;`,
  },
];
