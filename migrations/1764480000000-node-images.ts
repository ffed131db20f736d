/** Which images jobs of a tenant have brought to a node: they count for the tenant's bound there, and are kept by their last use. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- One image may count for several tenants. Rows stay when the jobs are deleted.
CREATE TABLE node_image (
  node_id uuid NOT NULL REFERENCES node ON DELETE CASCADE,
  tenant text NOT NULL,
  repository_digest text NOT NULL,
  last_used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (node_id, tenant, repository_digest)
);
INSERT INTO node_image (node_id, tenant, repository_digest, last_used_at)
SELECT attempt.node_id, job.tenant, executor.repository_digest, max(attempt.started_at)
FROM attempt JOIN job ON job.id = attempt.job_id JOIN executor ON executor.job_id = job.id
WHERE executor.repository_digest IS NOT NULL AND attempt.node_id IS NOT NULL
GROUP BY 1, 2, 3;

GRANT SELECT, DELETE ON node_image TO porin_functions;
GRANT INSERT (node_id, tenant, repository_digest), UPDATE (last_used_at) ON node_image TO porin_functions;
`;

export class NodeImages1764480000000 implements MigrationInterface {
  name = 'NodeImages1764480000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
