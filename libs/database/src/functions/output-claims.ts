/** Marks the output claims of a job that ends, however it ends, for the dispatcher to let go who waits for it. */
import { FINAL_STATES } from '#lib/jobs';
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** With the rights of the owner: whoever may end a job needs none on claims. */
export const OUTPUT_CLAIMS: readonly SqlFunction[] = [
  {
    name: 'end_output_claims',
    sql: `
CREATE OR REPLACE FUNCTION porin.end_output_claims() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SEARCH_PATH} AS $$
BEGIN
  UPDATE porin.job_output_claim SET ended = true WHERE job_id = NEW.id;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER job_end_output_claims AFTER UPDATE OF state ON porin.job
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('${FINAL_STATES.join("', '")}'))
  EXECUTE FUNCTION porin.end_output_claims();`,
  },
];
