/** What a job says of its executors' files and errors, of the directories that they share, and of outputs that are many files. */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const UP = `
-- Paths in the container; null: none.
ALTER TABLE job ADD COLUMN volumes text[];
ALTER TABLE executor
  ADD COLUMN stdin text,
  ADD COLUMN stdout text,
  ADD COLUMN stderr text,
  ADD COLUMN ignore_error boolean NOT NULL DEFAULT false;

-- What the payload ended by, in a job's errors; null: by exit code 0, or the run is older than this column.
ALTER TABLE executor_run ADD COLUMN error_code text;
GRANT UPDATE (error_code) ON executor_run TO porin_functions;

-- The files that the attempt stages, [{output: place among those of the job, path, url}], by which the names of the staged bytes
-- count; null: they are the job's outputs. It goes with the staging token.
ALTER TABLE attempt ADD COLUMN staged_files jsonb;
GRANT UPDATE (staged_files) ON attempt TO porin_functions;
`;

export class ExecutorFiles1764590000000 implements MigrationInterface {
  name = 'ExecutorFiles1764590000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(UP);
  }

  down = noWayBack;
}
