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

-- Jobs that may be placed now, with all that placement asks of them: a look at the queue costs the same however many jobs there are.
-- priority: less goes first. No foreign key: a lock on the lane would be shared by all submissions.
CREATE SEQUENCE queue_entry_seq;
CREATE TABLE queue_entry (
  lane_id bigint NOT NULL,
  priority integer NOT NULL,
  seq bigint NOT NULL DEFAULT nextval('queue_entry_seq'),
  job_id uuid NOT NULL UNIQUE,
  fence integer NOT NULL,
  wall_time_s integer NOT NULL,
  cpu_milli integer NOT NULL,
  memory_bytes bigint NOT NULL,
  disk_bytes bigint NOT NULL,
  ready_at timestamptz NOT NULL,
  application_id uuid,
  last_node_id uuid,
  bound_node_id uuid,
  node_failures jsonb,
  image_digests text[],
  PRIMARY KEY (lane_id, priority, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- Few, as a rule: whether one came that is more urgent than most is asked in every round.
CREATE INDEX queue_entry_urgent ON queue_entry (lane_id, priority, seq) WHERE priority < 0;

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

/** In their order; `porin.enqueue` is made after the migrations: until the dispatcher has looked, they are as after a pause. */
const FROM_OUTBOX = `
INSERT INTO queue_delay (job_id, due_at)
SELECT job.id, greatest(outbox.not_before, job.queued_at) FROM outbox JOIN job ON job.id = outbox.job_id AND job.fence = outbox.attempt_number
WHERE outbox.dispatched_at IS NULL AND job.state = 'QUEUED'
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
