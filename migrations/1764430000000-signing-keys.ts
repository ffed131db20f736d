/** The signed list of which approvals still count, and versions that an administrator decides about again. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- The newest counts, and older ones are deleted: a worker keeps what it has seen, and refuses a list that forgets.
CREATE TABLE approval_list (
  number bigint PRIMARY KEY,
  text text NOT NULL,
  signature text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE FUNCTION keep_newest_list() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' OR NOT EXISTS (SELECT FROM porin.approval_list WHERE number > OLD.number) THEN
    RAISE EXCEPTION 'the newest approval list stays as it is' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER approval_list_newest BEFORE UPDATE OR DELETE ON approval_list
  FOR EACH ROW EXECUTE FUNCTION keep_newest_list();
CREATE TRIGGER approval_list_no_truncate BEFORE TRUNCATE ON approval_list
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- review_since: of an approved version that was not signed anew. Its jobs wait until a person approves it again.
ALTER TABLE profile_version ADD COLUMN review_since timestamptz;
-- resigned_from: the sequence of the decision that this one repeats, signed by another key. decided_by and rule are its own.
ALTER TABLE approval ADD COLUMN resigned_from bigint;
CREATE INDEX approval_by_version ON approval (profile_version_id, sequence);

GRANT SELECT, INSERT, DELETE ON approval_list TO porin_api;
GRANT SELECT ON approval_list TO porin_worker;
GRANT SELECT ON SEQUENCE approval_sequence TO porin_api;
`;

export class SigningKeys1764430000000 implements MigrationInterface {
  name = 'SigningKeys1764430000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
