/** Which inputs of an attempt its node had already. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- [{input: place among those of the job, bytes: not fetched}]
ALTER TABLE attempt ADD COLUMN cached_inputs jsonb NOT NULL DEFAULT '[]';
GRANT UPDATE (cached_inputs) ON attempt TO porin_functions;
`;

export class CachedInputs1764640000000 implements MigrationInterface {
  name = 'CachedInputs1764640000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
