/** Publication with a commit point: the manifest, the state PUBLISHING, claims on outputs, prefixes of tenants. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
ALTER TABLE attempt DROP CONSTRAINT attempt_state_check;
ALTER TABLE attempt ADD CONSTRAINT attempt_state_check
  CHECK (state IN ('OPEN', 'PUBLISHING', 'COMPLETE', 'FAILED', 'LOST', 'CANCELED', 'RELEASED'));
DROP INDEX attempt_one_open, attempt_lease, attempt_open_by_node;
CREATE UNIQUE INDEX attempt_one_open ON attempt (job_id) WHERE state IN ('OPEN', 'PUBLISHING');
CREATE INDEX attempt_lease ON attempt (lease_expires_at) WHERE state IN ('OPEN', 'PUBLISHING');
CREATE INDEX attempt_open_by_node ON attempt (node_id) WHERE state IN ('OPEN', 'PUBLISHING');
DROP TRIGGER attempt_end_notify ON attempt;
CREATE TRIGGER attempt_end_notify AFTER UPDATE OF state ON attempt FOR EACH ROW
  WHEN (OLD.state IN ('OPEN', 'PUBLISHING') AND NEW.state NOT IN ('OPEN', 'PUBLISHING')) EXECUTE FUNCTION notify_outbox();

-- staging_token: part of the names of what the attempt has staged and nobody has removed yet.
ALTER TABLE attempt ADD COLUMN staging_token text;
CREATE INDEX attempt_staging ON attempt (node_id) WHERE staging_token IS NOT NULL;

-- publishing_since: the manifest is stored, and the job is not canceled any more.
ALTER TABLE job
  ADD COLUMN publish_on text NOT NULL DEFAULT 'complete' CHECK (publish_on IN ('complete', 'executor-error')),
  ADD COLUMN publishing_since timestamptz;

-- One a job: what attempt_number staged on node_id. With an error the job ends EXECUTOR_ERROR, else COMPLETE.
CREATE TABLE publication (
  job_id uuid PRIMARY KEY REFERENCES job ON DELETE CASCADE,
  attempt_number integer NOT NULL,
  node_id uuid NOT NULL REFERENCES node,
  error_code text,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((error_code IS NULL) = (error_message IS NULL))
);

-- The manifest: what has no published_at is not in place yet.
ALTER TABLE job_output
  ADD COLUMN position integer NOT NULL DEFAULT 0,
  ADD COLUMN temporary text,
  ADD COLUMN published_at timestamptz;
UPDATE job_output SET published_at = coalesce(attempt.ended_at, now())
FROM attempt WHERE attempt.job_id = job_output.job_id AND attempt.number = attempt_number;

-- Where jobs that have not ended write to; keys are those of libs/jobs/src/output-claim.ts. number: order of submission.
-- The rows of a job that has ended are marked, and go when those that wait for them have been let go.
CREATE SEQUENCE job_output_claim_number;
CREATE TABLE job_output_claim (
  key bytea NOT NULL,
  number bigint NOT NULL,
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  ended boolean NOT NULL DEFAULT false,
  PRIMARY KEY (key, number)
);
CREATE INDEX job_output_claim_by_job ON job_output_claim (job_id);
CREATE INDEX job_output_claim_ended ON job_output_claim (job_id) WHERE ended;

ALTER TABLE tenant_setting ADD COLUMN input_prefixes text[], ADD COLUMN output_prefixes text[];

GRANT SELECT ON publication, job_output_claim TO porin_api;
GRANT INSERT, UPDATE, DELETE ON job_output_claim TO porin_api;
GRANT USAGE ON SEQUENCE job_output_claim_number TO porin_api;
GRANT SELECT, INSERT ON publication TO porin_worker;
GRANT UPDATE (published_at) ON job_output TO porin_worker;
GRANT UPDATE (publishing_since) ON job TO porin_worker;
`;

export class Publication1764410000000 implements MigrationInterface {
  name = 'Publication1764410000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
