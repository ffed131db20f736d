/** Triggers that hold jobs, attempts and profile versions to their tables of transitions, whoever writes. */
import { ATTEMPT_TRANSITIONS, JOB_TRANSITIONS } from '#lib/jobs';
import { PROFILE_TRANSITIONS } from '#lib/profiles';
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

type Transitions = Readonly<Record<string, readonly string[]>>;

export const STATE_MACHINE: readonly SqlFunction[] = [
  stateMachine('job', JOB_TRANSITIONS),
  stateMachine('attempt', ATTEMPT_TRANSITIONS),
  stateMachine('profile_version', PROFILE_TRANSITIONS),
];

function stateMachine(table: string, transitions: Transitions): SqlFunction {
  const name = `check_${table}_state`;
  const allowed = Object.entries(transitions).flatMap(([from, to]) => to.map((state) => `('${from}', '${state}')`));
  return {
    name,
    sql: `
CREATE OR REPLACE FUNCTION porin.${name}() RETURNS trigger LANGUAGE plpgsql ${SEARCH_PATH} AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN (${allowed.join(', ')}) THEN
    RAISE EXCEPTION '${table}: % cannot become %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ${name} BEFORE UPDATE OF state ON porin.${table}
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION porin.${name}();`,
  };
}
