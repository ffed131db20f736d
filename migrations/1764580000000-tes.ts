/** What a TES task says beyond a job, and which tasks nobody has been told of yet. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- What it said that a job does not have (TaskDetails of libs/jobs); null: it came through Porin's own API.
ALTER TABLE job ADD COLUMN task jsonb;
-- The tasks of one submitter, newest first, as job_by_tenant has those of a tenant.
CREATE INDEX job_by_submitter ON job (submitted_by, created_at DESC, id);

-- Tasks whose submitters may not have got the answer. digest: of the request. is_lost: the connection ended before the answer was written.
-- asked_at: when the task was made, or given to a request that was sent again. A row is deleted when the answer is written, and counts for
-- a minute. No foreign key: rows come and go with every task.
CREATE TABLE unanswered_task (
  job_id uuid PRIMARY KEY,
  submitted_by uuid NOT NULL,
  digest text NOT NULL,
  is_lost boolean NOT NULL DEFAULT false,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX unanswered_task_by_digest ON unanswered_task (submitted_by, digest);
GRANT SELECT, INSERT, UPDATE, DELETE ON unanswered_task TO porin_api;
`;

export class Tes1764580000000 implements MigrationInterface {
  name = 'Tes1764580000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
