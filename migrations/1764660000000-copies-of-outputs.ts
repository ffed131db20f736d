/** One file may be in place for several outputs: a row of each, told apart by the output's place in the job. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- The oldest rows have no place of their own yet.
UPDATE job_output AS output SET position = asked.place - 1
FROM job CROSS JOIN LATERAL jsonb_array_elements(job.outputs) WITH ORDINALITY AS asked (given, place)
WHERE job.id = output.job_id AND asked.given->>'path' = output.path AND asked.given->>'pathPrefix' IS NULL
  AND asked.given->>'type' IS DISTINCT FROM 'DIRECTORY' AND output.position <> asked.place - 1;

ALTER TABLE job_output DROP CONSTRAINT job_output_pkey, ADD PRIMARY KEY (job_id, attempt_number, position, path);
`;

export class CopiesOfOutputs1764660000000 implements MigrationInterface {
  name = 'CopiesOfOutputs1764660000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
