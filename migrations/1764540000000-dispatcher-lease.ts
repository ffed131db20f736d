/** Which dispatcher leads is a lease in a row, and no submission notifies: see ADR 15. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const LEASE = `
-- One row. epoch is unique so that a change of it waits for whoever has locked the row by its key; a renewal does not.
CREATE TABLE dispatcher_lease (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  epoch bigint NOT NULL UNIQUE,
  holder text NOT NULL,
  expires_at timestamptz NOT NULL
);
INSERT INTO dispatcher_lease (epoch, holder, expires_at) VALUES (0, '', '-infinity');
GRANT SELECT, UPDATE (epoch, holder, expires_at) ON dispatcher_lease TO porin_api;

-- NOTIFY holds a lock of the whole database until the commit is on disk: the API rings after its commits instead.
DROP TRIGGER outbox_notify ON outbox;
`;

export class DispatcherLease1764540000000 implements MigrationInterface {
  name = 'DispatcherLease1764540000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(LEASE);
  }

  down = noWayBack;
}
