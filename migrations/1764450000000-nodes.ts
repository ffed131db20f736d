/** Nodes are somebody: a database role each, which reaches nothing but the functions of porin_functions (libs/database/src/functions). */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const COLUMNS = `
-- role_name: its database role; null until porin-admin node add has made it, and after node remove.
-- public_key: base64 of the SPKI of its Ed25519 key. maximum_*: the most that it may claim at once; null: as much as it says.
-- registration: what it said of itself when it started, as it signed it; the columns beside it are read off that text.
-- session_*: the one connection that holds its name.
ALTER TABLE node
  ADD COLUMN role_name text UNIQUE,
  ADD COLUMN public_key text,
  ADD COLUMN redis_password_sha256 text,
  ADD COLUMN maximum_slots integer CHECK (maximum_slots > 0),
  ADD COLUMN maximum_cpu_milli integer CHECK (maximum_cpu_milli > 0),
  ADD COLUMN maximum_memory_bytes bigint CHECK (maximum_memory_bytes > 0),
  ADD COLUMN maximum_disk_bytes bigint CHECK (maximum_disk_bytes > 0),
  ADD COLUMN registration text,
  ADD COLUMN registration_signature text,
  ADD COLUMN registration_verified boolean NOT NULL DEFAULT false,
  ADD COLUMN session_pid integer,
  ADD COLUMN session_started_at timestamptz;

-- Whose word the build is.
ALTER TABLE build ADD COLUMN made_by_node uuid REFERENCES node;

-- What its own image reference was resolved to, to pull it by; null for an image that came from no registry.
ALTER TABLE executor ADD COLUMN repository_digest text;
UPDATE executor SET repository_digest = build.repository_digest FROM build WHERE build.id = executor.build_id;
`;

/** Roles are the cluster's: another database of it may still be an earlier Porin's, whose workers use porin_worker. */
const RETIRE_WORKER = `
REVOKE ALL ON ALL TABLES IN SCHEMA porin FROM porin_worker;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA porin FROM porin_worker;
REVOKE ALL ON SCHEMA porin FROM porin_worker;
DO $$ BEGIN
  REVOKE ALL ON SCHEMA public FROM porin_worker;
  IF NOT EXISTS (
    SELECT FROM pg_shdepend AS dependency JOIN pg_roles AS role ON role.oid = dependency.refobjid AND role.rolname = 'porin_worker'
    WHERE dependency.refclassid = 'pg_authid'::regclass
      AND dependency.dbid NOT IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  ) AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_worker' AND rolcanlogin) THEN
    ALTER ROLE porin_worker NOLOGIN PASSWORD NULL;
  END IF;
EXCEPTION
  -- Another database's migration does the same at this moment, or the role is not ours to change: it has no rights here.
  WHEN internal_error OR insufficient_privilege THEN NULL;
END $$;
`;

/** No more than the functions need. */
const RIGHTS = `
GRANT SELECT ON application, build, profile_version, job, executor, attempt, executor_run, artifact, artifact_chunk, denial,
  job_output, node, publication, tenant_setting, approval_list, migrations TO porin_functions;
GRANT INSERT ON attempt, artifact, artifact_chunk, denial, job_output, publication TO porin_functions;
GRANT INSERT (application_id, content_digest, architecture, image_reference, repository_digest, layers, made_by_node)
  ON build TO porin_functions;
GRANT INSERT (id, job_id, attempt_number, position, build_id, profile_version_id, node_id, enforcement, monitoring,
  selection_reason, filter_digest, inputs_digest, data_digest, node_facts, calibration, block) ON executor_run TO porin_functions;
GRANT INSERT (executor_run_id, digest, content, partial_reasons) ON recording TO porin_functions;
GRANT UPDATE (state, waiting_reason, error_code, error_message, started_at, ended_at, held_build_id, held_until,
  publishing_since) ON job TO porin_functions;
GRANT UPDATE (state, lease_expires_at, error_code, error_message, ended_at, staging_token) ON attempt TO porin_functions;
GRANT UPDATE (published_at) ON job_output TO porin_functions;
GRANT UPDATE (build_id, application_id, bound_from, repository_digest) ON executor TO porin_functions;
GRANT UPDATE (layers) ON build TO porin_functions;
GRANT UPDATE (image_state, image_problem, image_checked_at, image_looked_at) ON application TO porin_functions;
GRANT UPDATE (phases_ms, wall_us, user_us, system_us, max_rss_bytes, voluntary_switches, involuntary_switches, call_count,
  exit_code, signal, outcome, landlock_status, denials_dropped, ended_at) ON executor_run TO porin_functions;
GRANT UPDATE (bytes, dropped_bytes, sha256, truncated) ON artifact TO porin_functions;
GRANT UPDATE (count) ON denial TO porin_functions;
GRANT UPDATE (architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts, started_at,
  heartbeat_at, registration, registration_signature, registration_verified, session_pid, session_started_at) ON node
  TO porin_functions;

-- The API neither adds nodes nor gives them keys.
REVOKE INSERT, UPDATE ON node FROM porin_api;
GRANT UPDATE (state, registration, registration_verified) ON node TO porin_api;
`;

export class Nodes1764450000000 implements MigrationInterface {
  name = 'Nodes1764450000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(RETIRE_WORKER);
    await queryRunner.query(RIGHTS);
  }

  down = noWayBack;
}
