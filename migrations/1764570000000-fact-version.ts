/** A number that grows with every change of what the API keeps for a moment: keys, bounds, applications, approvals, what nodes offer. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

/** A sequence, which nobody waits for: its triggers are of the code (libs/database/src/functions/fact-version.ts). */
const UP = `
CREATE SEQUENCE fact_version;
-- The first one is no change that can be seen.
SELECT nextval('fact_version');
GRANT SELECT ON SEQUENCE fact_version TO porin_api;
`;

export class FactVersion1764570000000 implements MigrationInterface {
  name = 'FactVersion1764570000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
