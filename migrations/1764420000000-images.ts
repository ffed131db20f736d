/** Which images a tenant may run, and whether a node has found the image of an application. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- Null: what the grid allows (PORIN_IMAGE_REGISTRIES, PORIN_LOCAL_IMAGES) holds alone.
ALTER TABLE tenant_setting
  ADD COLUMN image_registries text[] CHECK (cardinality(image_registries) <= 100),
  ADD COLUMN local_images text[] CHECK (cardinality(local_images) <= 100);

-- What nodes say of the image since it was last named; image_looked_at: the nodes that have looked for it, where none found it.
ALTER TABLE application
  ADD COLUMN image_state text NOT NULL DEFAULT 'unchecked' CHECK (image_state IN ('unchecked', 'found', 'not-found')),
  ADD COLUMN image_problem text CHECK (length(image_problem) <= 1000),
  ADD COLUMN image_checked_at timestamptz,
  ADD COLUMN image_looked_at uuid[] NOT NULL DEFAULT '{}';
CREATE INDEX application_image_unchecked ON application (created_at) WHERE image_state <> 'found';

GRANT UPDATE (image_state, image_problem, image_checked_at, image_looked_at) ON application TO porin_api, porin_worker;
`;

export class Images1764420000000 implements MigrationInterface {
  name = 'Images1764420000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
