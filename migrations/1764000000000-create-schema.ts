/** The first schema: every table, its load-bearing constraints, and the rights of the three roles. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const TABLES = `
CREATE TABLE application (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant text NOT NULL,
  name text NOT NULL,
  image text NOT NULL,
  command_prefix text[] NOT NULL DEFAULT '{}',
  policy text NOT NULL DEFAULT 'learn' CHECK (policy IN ('learn', 'hold', 'refuse')),
  recordings_needed integer NOT NULL DEFAULT 3 CHECK (recordings_needed BETWEEN 1 AND 100),
  distinct_inputs_needed integer NOT NULL DEFAULT 2 CHECK (distinct_inputs_needed BETWEEN 1 AND 100),
  created_by uuid,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant, name)
);

CREATE TABLE build (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  application_id uuid NOT NULL REFERENCES application,
  content_digest text NOT NULL,
  architecture text NOT NULL CHECK (architecture IN ('x86_64', 'aarch64')),
  image_reference text NOT NULL,
  repository_digest text,
  based_on uuid REFERENCES build,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (application_id, content_digest, architecture)
);

-- canonical is the exact text that digest is the SHA-256 of; statement and signature are copied from the approval,
-- because the worker verifies them and has no right on the table approval.
CREATE TABLE profile_version (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  build_id uuid NOT NULL REFERENCES build,
  number integer NOT NULL CHECK (number > 0),
  digest text NOT NULL,
  canonical text NOT NULL,
  coverage jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('PROPOSED', 'APPROVED', 'REJECTED', 'SUPERSEDED', 'REVOKED')),
  based_on uuid REFERENCES profile_version,
  statement text,
  signature text,
  created_at timestamptz NOT NULL DEFAULT now(),
  decided_at timestamptz,
  UNIQUE (build_id, number),
  UNIQUE (build_id, digest),
  CHECK (state <> 'APPROVED' OR (statement IS NOT NULL AND signature IS NOT NULL))
);
CREATE UNIQUE INDEX profile_version_one_approved ON profile_version (build_id) WHERE state = 'APPROVED';
CREATE UNIQUE INDEX profile_version_one_proposed ON profile_version (build_id) WHERE state = 'PROPOSED';

CREATE SEQUENCE approval_sequence;
CREATE TABLE approval (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  profile_version_id uuid NOT NULL REFERENCES profile_version,
  stage text NOT NULL CHECK (stage IN ('approved', 'rejected', 'revoked')),
  sequence bigint NOT NULL UNIQUE,
  decided_by uuid NOT NULL,
  reason text NOT NULL,
  statement text NOT NULL,
  signature text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_key (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant text NOT NULL,
  name text NOT NULL,
  role text NOT NULL CHECK (role IN ('submitter', 'reviewer', 'admin')),
  sha256 bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  last_used_at timestamptz
);

CREATE TABLE node (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE,
  architecture text NOT NULL,
  state text NOT NULL CHECK (state IN ('READY', 'DRAINING', 'GONE')),
  slots integer NOT NULL CHECK (slots > 0),
  cpu_milli integer NOT NULL,
  memory_bytes bigint NOT NULL,
  disk_bytes bigint NOT NULL,
  offered_monitorings text[] NOT NULL,
  facts jsonb NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now()
);

-- fence is the number of the one attempt that may be claimed; dispatched_fence is the last one the relay let go.
-- A claim needs both to equal the message's attempt, so a forged or repeated message starts nothing.
CREATE TABLE job (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant text NOT NULL,
  submitted_by uuid NOT NULL,
  submitted_role text NOT NULL,
  idempotency_key text,
  request_digest text NOT NULL,
  name text NOT NULL,
  state text NOT NULL DEFAULT 'QUEUED' CHECK (state IN ('QUEUED', 'INITIALIZING', 'RUNNING', 'COMPLETE',
    'EXECUTOR_ERROR', 'SYSTEM_ERROR', 'CANCELING', 'CANCELED')),
  fence integer NOT NULL DEFAULT 1,
  dispatched_fence integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  waiting_reason text,
  priority integer NOT NULL DEFAULT 0,
  architecture text NOT NULL,
  cpu_milli integer NOT NULL,
  memory_bytes bigint NOT NULL,
  disk_bytes bigint NOT NULL,
  wall_time_s integer NOT NULL,
  inputs jsonb NOT NULL,
  outputs jsonb NOT NULL,
  tags jsonb NOT NULL DEFAULT '{}',
  requested_enforcement text,
  requested_monitoring text,
  calibration uuid,
  block integer,
  error_code text,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT now(),
  queued_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz,
  cancel_requested_at timestamptz,
  UNIQUE (tenant, idempotency_key)
);
CREATE INDEX job_by_tenant ON job (tenant, created_at DESC, id);
CREATE INDEX job_open ON job (state, priority DESC, queued_at) WHERE ended_at IS NULL;

CREATE TABLE executor (
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  position integer NOT NULL,
  application_id uuid NOT NULL REFERENCES application,
  image text NOT NULL,
  command text[] NOT NULL,
  environment jsonb NOT NULL DEFAULT '{}',
  working_directory text,
  build_id uuid REFERENCES build,
  PRIMARY KEY (job_id, position)
);
CREATE INDEX executor_by_build ON executor (build_id);

CREATE TABLE attempt (
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  number integer NOT NULL,
  node_id uuid NOT NULL REFERENCES node,
  state text NOT NULL CHECK (state IN ('OPEN', 'COMPLETE', 'FAILED', 'LOST', 'CANCELED', 'RELEASED')),
  lease_expires_at timestamptz NOT NULL,
  error_code text,
  error_message text,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  PRIMARY KEY (job_id, number)
);
CREATE UNIQUE INDEX attempt_one_open ON attempt (job_id) WHERE state = 'OPEN';
CREATE INDEX attempt_lease ON attempt (lease_expires_at) WHERE state = 'OPEN';
CREATE INDEX attempt_open_by_node ON attempt (node_id) WHERE state = 'OPEN';

CREATE TABLE executor_run (
  id uuid PRIMARY KEY,
  job_id uuid NOT NULL,
  attempt_number integer NOT NULL,
  position integer NOT NULL,
  build_id uuid NOT NULL REFERENCES build,
  profile_version_id uuid REFERENCES profile_version,
  node_id uuid NOT NULL REFERENCES node,
  enforcement text NOT NULL CHECK (enforcement IN ('none', 'audit', 'enforce')),
  monitoring text NOT NULL CHECK (monitoring IN ('none', 'syscalls', 'arguments', 'files', 'trace')),
  selection_reason text NOT NULL,
  filter_digest text NOT NULL,
  inputs_digest text NOT NULL,
  landlock_status text NOT NULL DEFAULT 'not enforced',
  phases_ms jsonb,
  wall_us bigint,
  user_us bigint,
  system_us bigint,
  max_rss_bytes bigint,
  voluntary_switches bigint,
  involuntary_switches bigint,
  call_count bigint,
  exit_code integer,
  signal integer,
  outcome text,
  node_facts jsonb NOT NULL,
  calibration uuid,
  block integer,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz,
  UNIQUE (job_id, attempt_number, position),
  FOREIGN KEY (job_id, attempt_number) REFERENCES attempt ON DELETE CASCADE
);
CREATE INDEX executor_run_by_build ON executor_run (build_id, inputs_digest, node_id);

CREATE TABLE recording (
  executor_run_id uuid PRIMARY KEY REFERENCES executor_run ON DELETE CASCADE,
  digest text NOT NULL,
  content jsonb NOT NULL,
  partial_reasons text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  considered_at timestamptz
);
CREATE INDEX recording_unconsidered ON recording (created_at) WHERE considered_at IS NULL;

CREATE TABLE profile_version_recording (
  profile_version_id uuid NOT NULL REFERENCES profile_version,
  recording_digest text NOT NULL,
  executor_run_id uuid NOT NULL,
  PRIMARY KEY (profile_version_id, executor_run_id)
);

CREATE TABLE denial (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  executor_run_id uuid NOT NULL REFERENCES executor_run ON DELETE CASCADE,
  call text NOT NULL,
  shape jsonb NOT NULL,
  action text NOT NULL CHECK (action IN ('refused', 'continued', 'killed')),
  description text NOT NULL,
  count bigint NOT NULL
);
CREATE INDEX denial_by_run ON denial (executor_run_id);

CREATE TABLE job_output (
  job_id uuid NOT NULL,
  attempt_number integer NOT NULL,
  path text NOT NULL,
  url text NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  PRIMARY KEY (job_id, attempt_number, path),
  FOREIGN KEY (job_id, attempt_number) REFERENCES attempt ON DELETE CASCADE
);

-- expires_at is null where the API's retention decides.
CREATE TABLE artifact (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  executor_run_id uuid NOT NULL REFERENCES executor_run ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('stdout', 'stderr')),
  sha256 text,
  bytes bigint NOT NULL DEFAULT 0,
  dropped_bytes bigint NOT NULL DEFAULT 0,
  storage text NOT NULL DEFAULT 'database',
  expires_at timestamptz,
  UNIQUE (executor_run_id, kind)
);

-- The bytes of an artifact that is stored in the database, in order; readable while the run goes on.
CREATE TABLE artifact_chunk (
  artifact_id uuid NOT NULL REFERENCES artifact ON DELETE CASCADE,
  byte_offset bigint NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (artifact_id, byte_offset)
);

CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  attempt_number integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  not_before timestamptz NOT NULL DEFAULT now(),
  dispatched_at timestamptz,
  UNIQUE (job_id, attempt_number)
);
CREATE INDEX outbox_waiting ON outbox (id) WHERE dispatched_at IS NULL;

CREATE TABLE audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  tenant text NOT NULL,
  actor text NOT NULL,
  action text NOT NULL,
  subject_type text NOT NULL,
  subject_id text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}'
);
`;

const TRIGGERS = `
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is insert-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_insert_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_profile_rewrite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.id, NEW.build_id, NEW.number, NEW.digest, NEW.canonical) IS DISTINCT FROM
     (OLD.id, OLD.build_id, OLD.number, OLD.digest, OLD.canonical) THEN
    RAISE EXCEPTION 'a profile version is immutable' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER profile_version_immutable BEFORE UPDATE ON profile_version
  FOR EACH ROW EXECUTE FUNCTION refuse_profile_rewrite();

-- Wake-ups only: whoever misses one polls.
CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('porin_outbox', '');
  RETURN NULL;
END $$;
CREATE TRIGGER outbox_notify AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox();

-- An attempt that ends frees a slot.
CREATE TRIGGER attempt_end_notify AFTER UPDATE OF state ON attempt
  FOR EACH ROW WHEN (OLD.state = 'OPEN' AND NEW.state <> 'OPEN') EXECUTE FUNCTION notify_outbox();

CREATE FUNCTION notify_recording() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('porin_recording', '');
  RETURN NULL;
END $$;
CREATE TRIGGER recording_notify AFTER INSERT ON recording FOR EACH STATEMENT EXECUTE FUNCTION notify_recording();

CREATE FUNCTION notify_cancel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('porin_cancel', NEW.id::text);
  RETURN NULL;
END $$;
CREATE TRIGGER job_cancel_notify AFTER UPDATE OF state ON job
  FOR EACH ROW WHEN (NEW.state = 'CANCELING' AND OLD.state <> 'CANCELING') EXECUTE FUNCTION notify_cancel();
`;

const ROLES = `
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(7060116);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_api') THEN CREATE ROLE porin_api LOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_worker') THEN CREATE ROLE porin_worker LOGIN; END IF;
END $$;
GRANT USAGE ON SCHEMA public TO porin_api, porin_worker;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO porin_api;
GRANT INSERT, UPDATE ON application, build, profile_version, api_key, job, executor, attempt, outbox, recording, node TO porin_api;
GRANT INSERT ON approval, audit, profile_version_recording TO porin_api;
GRANT DELETE ON outbox, artifact, artifact_chunk TO porin_api;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO porin_api;

GRANT SELECT ON application, build, profile_version, job, executor, attempt, executor_run, recording, denial, job_output,
  artifact, artifact_chunk, node, migrations TO porin_worker;
GRANT INSERT (application_id, content_digest, architecture, image_reference, repository_digest, based_on) ON build TO porin_worker;
GRANT UPDATE (state, waiting_reason, error_code, error_message, started_at, ended_at) ON job TO porin_worker;
GRANT UPDATE (build_id) ON executor TO porin_worker;
GRANT INSERT, UPDATE ON attempt, executor_run, artifact, node TO porin_worker;
GRANT INSERT ON recording, denial, job_output, artifact_chunk TO porin_worker;
`;

export class CreateSchema1764000000000 implements MigrationInterface {
  name = 'CreateSchema1764000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(TABLES);
    await queryRunner.query(TRIGGERS);
    await queryRunner.query(ROLES);
  }

  down = noWayBack;
}
