/** Holds decisions to the time and the place in their sequence at which they are written, whoever writes: an API that was taken over too. */
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/**
 * created_at is the clock's, not the transaction's. A decision that approves or revokes comes after the newest list of approvals
 * in the sequence, and neither has a number that the sequence has yet to give.
 */
export const DECISIONS: readonly SqlFunction[] = [
  {
    name: 'date_approval',
    sql: `
CREATE OR REPLACE FUNCTION porin.date_approval() RETURNS trigger LANGUAGE plpgsql ${SEARCH_PATH} AS $$
BEGIN
  NEW.created_at := clock_timestamp();
  IF NEW.stage <> 'rejected' AND NEW.sequence <= (SELECT max(number) FROM porin.approval_list) THEN
    RAISE EXCEPTION 'approval: the number % is not above that of the newest list', NEW.sequence USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.sequence > (SELECT last_value FROM porin.approval_sequence) THEN
    RAISE EXCEPTION 'approval: the number % was not given yet', NEW.sequence USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER date_approval BEFORE INSERT ON porin.approval
  FOR EACH ROW EXECUTE FUNCTION porin.date_approval();`,
  },
  {
    name: 'number_approval_list',
    sql: `
CREATE OR REPLACE FUNCTION porin.number_approval_list() RETURNS trigger LANGUAGE plpgsql ${SEARCH_PATH} AS $$
BEGIN
  IF NEW.number > (SELECT last_value FROM porin.approval_sequence) THEN
    RAISE EXCEPTION 'approval list: the number % was not given yet', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER number_approval_list BEFORE INSERT ON porin.approval_list
  FOR EACH ROW EXECUTE FUNCTION porin.number_approval_list();`,
  },
];
