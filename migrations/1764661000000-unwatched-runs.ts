/** What the runs of a task are compared with, found whatever else was run of the same. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

export class UnwatchedRuns1764661000000 implements MigrationInterface {
  name = 'UnwatchedRuns1764661000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE INDEX executor_run_unwatched ON executor_run (build_id, inputs_digest, node_id, started_at)
       WHERE enforcement = 'none' AND monitoring = 'none' AND exit_code = 0 AND wall_us > 0`,
    );
  }

  down = noWayBack;
}
