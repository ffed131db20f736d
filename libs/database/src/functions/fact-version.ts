/** Triggers that count the changes of what the API keeps for a moment, whoever makes them. */
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** Table -> the changes that count. What is not kept, such as that there is no application of a name, does not. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  api_key: ['UPDATE OF revoked_at, expires_at, role, principal_id OR DELETE'],
  principal: ['UPDATE OF disabled_at, tenant OR DELETE'],
  tenant_setting: ['INSERT OR UPDATE OR DELETE'],
  application: ['UPDATE OF tenant, name, image, command_prefix, policy, on_new_build OR DELETE'],
  profile_version: ['INSERT OR UPDATE OF state, stage OR DELETE'],
  secret: ['INSERT OR UPDATE OF usable_by OR DELETE'],
  // Heartbeats say the same again.
  node: ['INSERT OR DELETE', 'UPDATE OF offered_monitorings, architecture'],
};
const ONLY_IF: Readonly<Record<string, string>> = {
  'UPDATE OF offered_monitorings, architecture':
    'WHEN ((OLD.offered_monitorings, OLD.architecture) IS DISTINCT FROM (NEW.offered_monitorings, NEW.architecture))',
};

/**
 * Deferred: the number grows just before the commit. Who reads the new number in between and then still the old rows keeps
 * those for a second (apps/api/src/facts/facts.ts).
 */
export const FACT_VERSION: readonly SqlFunction[] = [
  {
    name: 'change_facts',
    sql: `
CREATE OR REPLACE FUNCTION porin.change_facts() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SEARCH_PATH} AS $$
BEGIN
  PERFORM nextval('porin.fact_version');
  RETURN NULL;
END $$;
${Object.entries(CHANGES)
  .flatMap(([table, changes]) => changes.map((change, index) => trigger(table, `change_facts_${index}`, change)))
  .join('\n')}`,
  },
];

function trigger(table: string, name: string, change: string): string {
  return `DROP TRIGGER IF EXISTS ${name} ON porin.${table};
CREATE CONSTRAINT TRIGGER ${name} AFTER ${change} ON porin.${table} DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW ${ONLY_IF[change] ?? ''} EXECUTE FUNCTION porin.change_facts();`;
}
