/** Named secrets of tenants, the jobs that name them, and what is sealed for one attempt on one node. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- usable_by: principals; null: whoever submits jobs of the tenant. encrypted: under the key key_id, which no database has
-- (libs/secrets); it opens with what the row says beside it and with nothing else.
CREATE TABLE secret (
  tenant text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('s3', 'bearer', 'basic', 'headers', 'registry')),
  prefix text NOT NULL,
  usable_by uuid[],
  key_id text NOT NULL,
  encrypted bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by uuid NOT NULL REFERENCES principal,
  PRIMARY KEY (tenant, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON secret TO porin_api;

-- Names of secrets of its tenant; null: it names none.
ALTER TABLE job ADD COLUMN secrets text[] CHECK (cardinality(secrets) > 0);

-- By HPKE, to the sealing key of the node that a job was placed on: for that fence alone, from the placement to the claim.
CREATE TABLE sealed_secret (
  job_id uuid NOT NULL REFERENCES job ON DELETE CASCADE,
  fence integer NOT NULL,
  name text NOT NULL,
  node_id uuid NOT NULL REFERENCES node,
  kind text NOT NULL,
  prefix text NOT NULL,
  sealed text NOT NULL,
  PRIMARY KEY (job_id, fence, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON sealed_secret TO porin_api;
GRANT SELECT, DELETE ON sealed_secret TO porin_functions;

-- What the registration that its key signed says: null for a worker that opens no secrets.
ALTER TABLE node ADD COLUMN sealing_key text;
GRANT UPDATE (sealing_key) ON node TO porin_functions;
`;

export class Secrets1764610000000 implements MigrationInterface {
  name = 'Secrets1764610000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
