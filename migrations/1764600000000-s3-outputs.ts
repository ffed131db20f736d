/** Which multipart upload an output to S3 is staged as. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- As its server names it; null for outputs of other schemes.
ALTER TABLE job_output ADD COLUMN upload text CHECK (length(upload) <= 2048);
`;

export class S3Outputs1764600000000 implements MigrationInterface {
  name = 'S3Outputs1764600000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
