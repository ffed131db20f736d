/** Who acts is a principal, a person or a service, and keys belong to principals. Operators belong to no tenant. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- tenant: null for those who run the grid.
CREATE TABLE principal (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  tenant text,
  kind text NOT NULL CHECK (kind IN ('person', 'service')),
  name text NOT NULL CHECK (name <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  disabled_at timestamptz,
  is_operator boolean GENERATED ALWAYS AS (tenant IS NULL) STORED,
  UNIQUE NULLS NOT DISTINCT (tenant, name),
  UNIQUE (id, is_operator)
);

-- Every key was somebody of its own: its principal has its id, so that whatever was written before names the principal.
INSERT INTO principal (id, tenant, kind, name, created_at)
SELECT id, tenant, 'service',
  coalesce(nullif(name, ''), 'key') || CASE WHEN count(*) OVER (PARTITION BY tenant, name) > 1 THEN ' ' || id ELSE '' END,
  created_at
FROM api_key;

ALTER TABLE api_key DROP CONSTRAINT api_key_role_check;
ALTER TABLE api_key
  ADD COLUMN principal_id uuid,
  ADD CHECK (role IN ('submitter', 'reviewer', 'admin', 'operator')),
  ADD COLUMN is_operator boolean GENERATED ALWAYS AS (role = 'operator') STORED;
UPDATE api_key SET principal_id = id;
ALTER TABLE api_key
  ALTER COLUMN principal_id SET NOT NULL,
  -- An operator's key is an operator's, and nobody else's.
  ADD FOREIGN KEY (principal_id, is_operator) REFERENCES principal (id, is_operator),
  DROP COLUMN tenant;
CREATE INDEX api_key_by_principal ON api_key (principal_id);

-- Of the submitter: a key that another one chose as well answers nobody with another's job.
ALTER TABLE job DROP CONSTRAINT job_tenant_idempotency_key_key, ADD UNIQUE (submitted_by, idempotency_key);

GRANT SELECT, INSERT, UPDATE ON principal TO porin_api;
`;

export class Principals1764440000000 implements MigrationInterface {
  name = 'Principals1764440000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
