/** What retention finds by an index what has expired by, and how much of a tenant's storage a job takes itself. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- Whose an artifact is and how old: retention asks tenant by tenant, because each may keep its own for a shorter time.
-- A trigger of the functions fills both in. Nothing has ever set expires_at.
ALTER TABLE artifact ADD COLUMN tenant text, ADD COLUMN created_at timestamptz, DROP COLUMN expires_at;
UPDATE artifact SET tenant = job.tenant, created_at = run.started_at
FROM executor_run AS run JOIN job ON job.id = run.job_id WHERE run.id = artifact.executor_run_id;
ALTER TABLE artifact ALTER COLUMN tenant SET NOT NULL, ALTER COLUMN created_at SET NOT NULL;
CREATE INDEX artifact_by_age ON artifact (tenant, created_at);

-- Bytes of what was asked for: inline inputs, URLs, tags, commands, environments. Jobs from before count as none.
ALTER TABLE job ADD COLUMN request_bytes bigint NOT NULL DEFAULT 0 CHECK (request_bytes >= 0);
`;

export class Expiry1764520000000 implements MigrationInterface {
  name = 'Expiry1764520000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
