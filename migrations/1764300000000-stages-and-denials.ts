/** What stages, denials with consequences, inheritance and the binding by content store. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
ALTER TABLE application
  ADD COLUMN on_denial text NOT NULL DEFAULT 'hold' CHECK (on_denial IN ('hold', 'fail', 'report')),
  ADD COLUMN on_new_build text NOT NULL DEFAULT 'inherit' CHECK (on_new_build IN ('inherit', 'hold', 'learn')),
  ADD COLUMN auto_approve text NOT NULL DEFAULT 'never' CHECK (auto_approve IN ('never', 'harmless')),
  ADD COLUMN quiet_runs_needed integer NOT NULL DEFAULT 5 CHECK (quiet_runs_needed BETWEEN 1 AND 30),
  ADD COLUMN quiet_inputs_needed integer NOT NULL DEFAULT 3 CHECK (quiet_inputs_needed BETWEEN 1 AND 30);

-- A tenant without a row has the defaults.
CREATE TABLE tenant_setting (
  tenant text PRIMARY KEY,
  unknown_content text NOT NULL DEFAULT 'hold' CHECK (unknown_content IN ('learn', 'hold', 'refuse')),
  four_eyes boolean NOT NULL DEFAULT false
);

-- layers: of the image, lowest first; null where a worker of an earlier version stored the build.
ALTER TABLE build ADD COLUMN layers text[];
-- Up to then, no approval of another build verified by which it could inherit: its jobs wait for a person.
ALTER TABLE build ADD COLUMN inheritance_failed_at timestamptz;
CREATE INDEX build_by_content ON build (content_digest, architecture);

-- stage, audit_terms: of an approved version, copied from the statement, which is what counts. audit_over: its runs have ended
-- without a promotion.
ALTER TABLE profile_version
  ADD COLUMN stage text CHECK (stage IN ('audit', 'enforce')),
  ADD COLUMN audit_terms jsonb,
  ADD COLUMN stage_since timestamptz,
  ADD COLUMN audit_over boolean NOT NULL DEFAULT false,
  ADD COLUMN inherited_from uuid REFERENCES profile_version,
  ADD COLUMN addition_classes text[] NOT NULL DEFAULT '{}';
UPDATE profile_version SET stage = 'enforce', stage_since = decided_at WHERE state = 'APPROVED';
ALTER TABLE profile_version
  ADD CHECK (state <> 'APPROVED' OR stage IS NOT NULL),
  ADD CHECK (coalesce(stage = 'audit', false) = (audit_terms IS NOT NULL));

-- A person decides, or a rule that an administrator switched on.
ALTER TABLE approval ALTER COLUMN decided_by DROP NOT NULL;
ALTER TABLE approval
  ADD COLUMN rule text CHECK (rule IN ('promotion', 'auto-approve', 'inheritance')),
  ADD CHECK ((decided_by IS NULL) = (rule IS NOT NULL));

CREATE TABLE profile_version_denial (
  profile_version_id uuid NOT NULL REFERENCES profile_version,
  executor_run_id uuid NOT NULL,
  PRIMARY KEY (profile_version_id, executor_run_id)
);
CREATE INDEX profile_version_denial_by_run ON profile_version_denial (executor_run_id);

-- data_digest: of the staged inputs alone; empty where it is not known.
-- denials_taken: what it was refused was looked at for a proposal, and not passed over because there was nothing.
ALTER TABLE executor_run
  ADD COLUMN data_digest text NOT NULL DEFAULT '',
  ADD COLUMN denials_dropped bigint NOT NULL DEFAULT 0 CHECK (denials_dropped >= 0),
  ADD COLUMN denials_considered_at timestamptz,
  ADD COLUMN denials_taken boolean NOT NULL DEFAULT false;
UPDATE executor_run SET denials_considered_at = now();
CREATE INDEX executor_run_unconsidered ON executor_run (build_id) WHERE denials_considered_at IS NULL;
CREATE INDEX executor_run_taken ON executor_run (denials_considered_at) WHERE denials_taken;
CREATE INDEX executor_run_audited ON executor_run (build_id, started_at) WHERE enforcement = 'audit';

-- What changed since a job began to wait: by the clock, however long the change's transaction took.
ALTER TABLE audit ALTER COLUMN at SET DEFAULT clock_timestamp();
CREATE INDEX audit_by_tenant ON audit (tenant, at);

-- The ad hoc application that it was submitted as, where its image turned out to be another one's; null otherwise.
ALTER TABLE executor ADD COLUMN bound_from uuid REFERENCES application;

ALTER TABLE job
  ADD COLUMN held_build_id uuid REFERENCES build,
  ADD COLUMN held_version_id uuid REFERENCES profile_version,
  ADD COLUMN held_until timestamptz,
  ADD COLUMN rerun_of uuid,
  ADD CHECK (held_until IS NULL OR held_build_id IS NOT NULL);
CREATE INDEX job_held ON job (held_build_id) WHERE held_build_id IS NOT NULL;
CREATE INDEX job_held_for_version ON job (held_version_id) WHERE held_version_id IS NOT NULL;
-- All but those that any worker takes: held ones are looked at again and again.
CREATE INDEX job_waiting ON job (waiting_reason) WHERE state = 'QUEUED' AND waiting_reason <> 'waiting-for-slot';

GRANT SELECT ON tenant_setting, profile_version_denial TO porin_api;
GRANT INSERT, UPDATE ON tenant_setting TO porin_api;
GRANT INSERT ON profile_version_denial TO porin_api;
GRANT UPDATE (denials_considered_at, denials_taken) ON executor_run TO porin_api;
GRANT SELECT ON tenant_setting TO porin_worker;
GRANT INSERT (layers) ON build TO porin_worker;
GRANT UPDATE (layers) ON build TO porin_worker;
GRANT UPDATE (application_id, bound_from) ON executor TO porin_worker;
GRANT UPDATE (held_build_id, held_until) ON job TO porin_worker;
`;

export class StagesAndDenials1764300000000 implements MigrationInterface {
  name = 'StagesAndDenials1764300000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
