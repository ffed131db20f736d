/** How far the inputs of an attempt are, while they are staged. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- As the node said it when it last renewed the lease; null: nothing was being staged then. input_bytes_total is null too where the size
-- of an input is unknown.
ALTER TABLE attempt
  ADD COLUMN inputs_staged integer,
  ADD COLUMN input_bytes_staged bigint,
  ADD COLUMN input_bytes_total bigint;
GRANT UPDATE (inputs_staged, input_bytes_staged, input_bytes_total) ON attempt TO porin_functions;
`;

export class StagingProgress1764630000000 implements MigrationInterface {
  name = 'StagingProgress1764630000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
