/** The jobs that attempts were started for, as they are looked for in every round of placement: few, however many wait. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

export class BegunJobs1764620000000 implements MigrationInterface {
  name = 'BegunJobs1764620000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE INDEX job_begun ON job (id) WHERE state IN ('INITIALIZING', 'RUNNING') AND ended_at IS NULL`,
    );
  }

  down = noWayBack;
}
