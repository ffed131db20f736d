/** Whether a node is well: what it says, what its failures say, and what probes of it say, kept apart. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const HEALTH = `
-- The dispatcher's verdict, which no node writes: suspect_since, suspect_reason; null while the node is well.
-- failed_at: when an attempt failed there last that may have failed by the node's fault.
-- Probes: probe_number of the last that was asked for, at probe_asked_at; probed_at: when one was judged last;
-- proved_at: when the last one that succeeded was asked for; failed_probes: since then.
-- The node's word: ailment: why it cannot work; probe_answer, probe_problem: the number of the probe that it answered last, and
-- what failed.
ALTER TABLE node
  ADD COLUMN suspect_since timestamptz,
  ADD COLUMN suspect_reason text,
  ADD COLUMN failed_at timestamptz,
  ADD COLUMN probe_number integer NOT NULL DEFAULT 0,
  ADD COLUMN probe_asked_at timestamptz,
  ADD COLUMN probed_at timestamptz,
  ADD COLUMN proved_at timestamptz,
  ADD COLUMN failed_probes integer NOT NULL DEFAULT 0,
  ADD COLUMN ailment text,
  ADD COLUMN probe_answer integer,
  ADD COLUMN probe_problem text;

-- The last failure of an application on a node that may be the node's fault. avoided_until: its jobs go elsewhere until then,
-- where there is a node for them; times: how often that was said anew.
CREATE TABLE node_failure (
  node_id uuid NOT NULL REFERENCES node ON DELETE CASCADE,
  application_id uuid NOT NULL REFERENCES application ON DELETE CASCADE,
  code text NOT NULL,
  failed_at timestamptz NOT NULL,
  avoided_until timestamptz NOT NULL,
  times integer NOT NULL DEFAULT 1,
  PRIMARY KEY (node_id, application_id)
);

-- Attempts that failed by the fault of their node, as it seemed: they are not among its failures.
ALTER TABLE job ADD COLUMN free_failures integer NOT NULL DEFAULT 0;

GRANT UPDATE (suspect_since, suspect_reason, failed_at, probe_number, probe_asked_at, probed_at, proved_at, failed_probes)
  ON node TO porin_api;
GRANT UPDATE (ailment, probe_answer, probe_problem) ON node TO porin_functions;
GRANT SELECT, INSERT, UPDATE, DELETE ON node_failure TO porin_api;
`;

export class NodeHealth1764560000000 implements MigrationInterface {
  name = 'NodeHealth1764560000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(HEALTH);
  }

  down = noWayBack;
}
