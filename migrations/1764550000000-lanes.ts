/** Jobs that are ready wait in lanes, each in one order; the outbox that all of them lay in is gone. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const LANES = `
-- A lane is of one submitter and of jobs that are much alike: resources rounded down to powers of two, what they need of a node.
-- explanation: why its first job waits, as the dispatcher saw it last.
CREATE TABLE lane (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL,
  submitted_by uuid NOT NULL,
  architecture text NOT NULL,
  cpu_milli bigint NOT NULL,
  memory_bytes bigint NOT NULL,
  disk_bytes bigint NOT NULL,
  needs text NOT NULL,
  explanation text,
  UNIQUE (tenant, submitted_by, architecture, cpu_milli, memory_bytes, disk_bytes, needs)
);

-- Jobs that may be placed now. priority: less goes first. No foreign key: a lock on the lane would be shared by all submissions.
CREATE SEQUENCE queue_entry_seq;
CREATE TABLE queue_entry (
  lane_id bigint NOT NULL,
  priority integer NOT NULL,
  seq bigint NOT NULL DEFAULT nextval('queue_entry_seq'),
  job_id uuid NOT NULL UNIQUE,
  PRIMARY KEY (lane_id, priority, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- Jobs that may be placed after a pause.
CREATE TABLE queue_delay (
  job_id uuid PRIMARY KEY,
  due_at timestamptz NOT NULL
);
CREATE INDEX queue_delay_due ON queue_delay (due_at);

-- The monitoring that a node must offer; null: any node will do.
ALTER TABLE job ADD COLUMN needs_monitoring text;

-- CPU-seconds that the submitters of tenants have had lately, as of a time: they halve with the time since.
CREATE TABLE fair_usage (
  tenant text NOT NULL,
  submitted_by uuid NOT NULL,
  cpu_seconds double precision NOT NULL,
  as_of timestamptz NOT NULL,
  PRIMARY KEY (tenant, submitted_by)
);
ALTER TABLE tenant_setting ADD COLUMN weight integer CHECK (weight > 0);
ALTER TABLE principal ADD COLUMN weight integer NOT NULL DEFAULT 1 CHECK (weight > 0);

CREATE INDEX node_image_by_digest ON node_image (tenant, repository_digest);

GRANT SELECT, INSERT, UPDATE ON lane TO porin_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON queue_entry, queue_delay, fair_usage TO porin_api;
GRANT USAGE ON SEQUENCE queue_entry_seq TO porin_api;
GRANT UPDATE (weight) ON principal TO porin_api;
GRANT SELECT ON node_image TO porin_api;
`;

/** As `porin.enqueue` does it, which is made after the migrations. */
const FROM_OUTBOX = `
WITH waiting AS (
  SELECT job.*, outbox.not_before, outbox.id AS outbox_id,
    CASE WHEN publishing_since IS NULL THEN (2 ^ floor(log(2, cpu_milli)))::bigint ELSE 0 END AS cpu,
    CASE WHEN publishing_since IS NULL THEN (2 ^ floor(log(2, memory_bytes)))::bigint ELSE 0 END AS memory,
    CASE WHEN publishing_since IS NULL THEN (2 ^ floor(log(2, disk_bytes)))::bigint ELSE 0 END AS disk
  FROM outbox JOIN job ON job.id = outbox.job_id AND job.fence = outbox.attempt_number
  WHERE outbox.dispatched_at IS NULL AND job.state = 'QUEUED'
), made AS (
  INSERT INTO lane (tenant, submitted_by, architecture, cpu_milli, memory_bytes, disk_bytes, needs)
  SELECT DISTINCT tenant, submitted_by, architecture, cpu, memory, disk, '' FROM waiting
  RETURNING *
), later AS (
  INSERT INTO queue_delay (job_id, due_at) SELECT id, not_before FROM waiting WHERE not_before > now()
)
INSERT INTO queue_entry (lane_id, priority, seq, job_id)
SELECT made.id, -2 * waiting.priority, nextval('queue_entry_seq'), waiting.id
FROM waiting JOIN made ON (made.tenant, made.submitted_by, made.architecture, made.cpu_milli, made.memory_bytes, made.disk_bytes)
  = (waiting.tenant, waiting.submitted_by, waiting.architecture, waiting.cpu, waiting.memory, waiting.disk)
WHERE waiting.not_before <= now() ORDER BY waiting.queued_at, waiting.outbox_id
`;

const NO_OUTBOX = `
DROP TRIGGER IF EXISTS job_end_outbox ON job;
DROP FUNCTION IF EXISTS forget_outbox;
DROP TABLE outbox;
`;

export class Lanes1764550000000 implements MigrationInterface {
  name = 'Lanes1764550000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [LANES, FROM_OUTBOX, NO_OUTBOX]) await queryRunner.query(sql);
  }

  down = noWayBack;
}
