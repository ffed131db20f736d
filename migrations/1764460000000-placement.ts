/** A job is placed on one node, and only that node may claim it. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const COLUMNS = `
-- placed_node_id: where the attempt of dispatched_fence may be claimed; the last node while no placement stands.
ALTER TABLE job ADD COLUMN placed_node_id uuid REFERENCES node, ADD COLUMN placed_at timestamptz;
CREATE INDEX job_placed ON job (placed_node_id) WHERE state = 'QUEUED' AND dispatched_fence = fence;

-- unresponsive_at: when it last left a job unclaimed that it had room for, or let a lease run out.
-- redis_password_sha256: hexadecimal; null: the node uses a password that it shares with others.
ALTER TABLE node ADD COLUMN unresponsive_at timestamptz;
ALTER TABLE node ADD COLUMN IF NOT EXISTS redis_password_sha256 text;
CREATE INDEX attempt_by_node ON attempt (node_id, started_at);
CREATE INDEX attempt_held_by_node ON attempt (node_id) WHERE ended_at IS NULL;

GRANT UPDATE (unresponsive_at) ON node TO porin_api;
`;

/** What an earlier version has on its way is in a queue that no worker reads any more. */
const SEND_AGAIN = `
WITH lost AS (
  UPDATE job SET dispatched_fence = fence - 1
  WHERE state = 'QUEUED' AND dispatched_fence = fence
    AND NOT EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = job.fence)
  RETURNING id, fence
)
UPDATE outbox SET dispatched_at = NULL FROM lost WHERE outbox.job_id = lost.id AND outbox.attempt_number = lost.fence;
`;

export class Placement1764460000000 implements MigrationInterface {
  name = 'Placement1764460000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(COLUMNS);
    await queryRunner.query(SEND_AGAIN);
  }

  down = noWayBack;
}
