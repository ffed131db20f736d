/** What deeper monitoring and enforcement store: denials as they come, Landlock's status, and traces. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
ALTER TABLE executor_run DROP CONSTRAINT executor_run_monitoring_check;
ALTER TABLE executor_run ADD CONSTRAINT executor_run_monitoring_check
  CHECK (monitoring IN ('none', 'syscalls', 'arguments', 'files', 'trace', 'trace-notify'));

ALTER TABLE executor_run ALTER COLUMN landlock_status SET DEFAULT 'NOT_ENFORCED';
UPDATE executor_run SET landlock_status = 'NOT_ENFORCED';
ALTER TABLE executor_run ADD CONSTRAINT executor_run_landlock_status_check
  CHECK (landlock_status IN ('NOT_ENFORCED', 'PARTIALLY_ENFORCED', 'FULLY_ENFORCED'));

-- A denial is written when it happens and its count corrected later: its place in the run names it.
ALTER TABLE denial ADD COLUMN position integer;
UPDATE denial SET position = numbered.position
FROM (SELECT id, row_number() OVER (PARTITION BY executor_run_id ORDER BY id) - 1 AS position FROM denial) AS numbered
WHERE numbered.id = denial.id;
ALTER TABLE denial ALTER COLUMN position SET NOT NULL, ADD CHECK (position >= 0), ADD UNIQUE (executor_run_id, position);
DROP INDEX denial_by_run;
GRANT UPDATE (count) ON denial TO porin_worker;

-- A trace is gzip, the other kinds are what the payload wrote. Truncated: more happened than is kept.
ALTER TABLE artifact DROP CONSTRAINT artifact_kind_check;
ALTER TABLE artifact ADD CONSTRAINT artifact_kind_check CHECK (kind IN ('stdout', 'stderr', 'trace'));
ALTER TABLE artifact ADD COLUMN truncated boolean NOT NULL DEFAULT false;
UPDATE artifact SET truncated = dropped_bytes > 0;

-- The API key that wrote a version by hand; null where recordings made it.
ALTER TABLE profile_version ADD COLUMN proposed_by uuid;
`;

export class SandboxDepth1764100000000 implements MigrationInterface {
  name = 'SandboxDepth1764100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
