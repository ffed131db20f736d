/** Bounds of tenants, what tenants use of them, and the indexes that retention deletes by. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- null: the default of the code (apps/api/src/tenant/tenant-settings.ts).
ALTER TABLE tenant_setting
  ADD COLUMN max_queued_jobs integer CHECK (max_queued_jobs >= 0),
  ADD COLUMN max_stored_bytes bigint CHECK (max_stored_bytes >= 0),
  ADD COLUMN max_image_bytes bigint CHECK (max_image_bytes >= 0),
  ADD COLUMN max_proposals integer CHECK (max_proposals >= 0),
  ADD COLUMN retention_days integer CHECK (retention_days BETWEEN 1 AND 36500);

-- What a tenant has now: jobs that have not ended, and bytes of logs, traces and recordings. Changes are added as rows, so
-- that writers never wait for one another, and the dispatcher folds them: the usage is the row plus all its changes.
CREATE TABLE tenant_usage (
  tenant text PRIMARY KEY,
  open_jobs bigint NOT NULL DEFAULT 0,
  stored_bytes bigint NOT NULL DEFAULT 0
);
CREATE TABLE tenant_usage_change (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  open_jobs integer NOT NULL DEFAULT 0,
  stored_bytes bigint NOT NULL DEFAULT 0
);
CREATE INDEX tenant_usage_change_by_tenant ON tenant_usage_change (tenant);

INSERT INTO tenant_usage (tenant, open_jobs, stored_bytes)
SELECT job.tenant, count(*) FILTER (WHERE job.ended_at IS NULL), coalesce(sum(stored.bytes), 0)
FROM job LEFT JOIN LATERAL (
  SELECT (SELECT coalesce(sum(artifact.bytes), 0) FROM executor_run AS run JOIN artifact ON artifact.executor_run_id = run.id
      WHERE run.job_id = job.id)
    + (SELECT coalesce(sum(recording.content_bytes), 0) FROM executor_run AS run
      JOIN recording ON recording.executor_run_id = run.id WHERE run.job_id = job.id) AS bytes
) AS stored ON true GROUP BY job.tenant;

CREATE INDEX job_by_end ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX recording_by_age ON recording (created_at);

GRANT SELECT, INSERT, UPDATE ON tenant_usage TO porin_api;
GRANT SELECT, INSERT, DELETE ON tenant_usage_change TO porin_api;
GRANT DELETE ON job, recording TO porin_api;
`;

export class TenantBounds1764470000000 implements MigrationInterface {
  name = 'TenantBounds1764470000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
