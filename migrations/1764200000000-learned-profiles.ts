/** What learning stores: an application's terms, what is known of each recording, and where a profile's calls come from. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
CREATE FUNCTION are_exit_codes(codes integer[]) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT cardinality(codes) BETWEEN 1 AND 32 AND array_position(codes, NULL) IS NULL AND 0 <= ALL (codes) AND 255 >= ALL (codes)
$$;
ALTER TABLE application
  ADD COLUMN closure text NOT NULL DEFAULT 'families' CHECK (closure IN ('families', 'seen')),
  ADD COLUMN expected_exit_codes integer[] NOT NULL DEFAULT '{0}' CHECK (are_exit_codes(expected_exit_codes));

-- learning_problem: why the recordings, which are enough by their number, are no profile; null where nothing stands in the
-- way. reconsider_since: all its recordings are to be looked at again, those of ended jobs that were considered included.
ALTER TABLE build ADD COLUMN learning_problem text, ADD COLUMN reconsider_since timestamptz;
CREATE INDEX build_reconsider ON build (id) WHERE reconsider_since IS NOT NULL;

-- origins: of each call, see CallOrigin; families_version: null where the table of families had no part in it.
ALTER TABLE profile_version
  ADD COLUMN origins jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN families_version integer,
  ADD COLUMN conditions_taught boolean NOT NULL DEFAULT false;
UPDATE profile_version SET conditions_taught = position('"args":[' IN canonical) > 0;

-- content_bytes: of its JSON text, whatever the worker says; call_names: null until the API has checked the recording, then
-- the calls that were made or refused; problem: what the check found, and nothing is learned from it.
ALTER TABLE recording
  ADD COLUMN content_bytes integer NOT NULL GENERATED ALWAYS AS (octet_length(content::text)) STORED,
  ADD COLUMN call_names text[],
  ADD COLUMN problem text;
REVOKE INSERT ON recording FROM porin_worker;
GRANT INSERT (executor_run_id, digest, content, partial_reasons) ON recording TO porin_worker;
-- Each is to be checked, and with families another profile may come of them.
UPDATE build SET reconsider_since = now() WHERE EXISTS (
  SELECT FROM executor_run AS run JOIN recording ON recording.executor_run_id = run.id WHERE run.build_id = build.id);

CREATE INDEX profile_version_recording_by_run ON profile_version_recording (executor_run_id);
`;

export class LearnedProfiles1764200000000 implements MigrationInterface {
  name = 'LearnedProfiles1764200000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
