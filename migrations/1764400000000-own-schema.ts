/** Moves everything into the schema `porin`, and makes the roles that own and call its functions (libs/database/src/functions). */
import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { noWayBack } from './no-way-back.js';

const TABLES = [
  ...[
    'api_key',
    'application',
    'approval',
    'artifact',
    'artifact_chunk',
    'attempt',
    'audit',
    'build',
    'denial',
    'executor',
  ],
  ...['executor_run', 'job', 'job_output', 'migrations', 'node', 'outbox', 'profile_version', 'profile_version_denial'],
  ...['profile_version_recording', 'recording', 'tenant_setting'],
];
const FUNCTIONS = [
  ...[
    'are_exit_codes',
    'refuse_change',
    'refuse_profile_rewrite',
    'notify_outbox',
    'notify_recording',
    'notify_cancel',
  ],
];

/** porin_functions owns what nodes call, and has no rights but those it needs for that; porin_node is every node's group. */
const ROLES = `
DO $$ BEGIN
  PERFORM pg_advisory_xact_lock(7060116);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_functions') THEN CREATE ROLE porin_functions NOLOGIN; END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_node') THEN CREATE ROLE porin_node NOLOGIN; END IF;
END $$;
GRANT porin_functions TO CURRENT_USER;
GRANT USAGE ON SCHEMA porin TO porin_api, porin_worker, porin_functions, porin_node;
GRANT CREATE ON SCHEMA porin TO porin_functions;
`;

export class OwnSchema1764400000000 implements MigrationInterface {
  name = 'OwnSchema1764400000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('CREATE SCHEMA porin');
    await move(queryRunner, 'public', 'porin');
    await queryRunner.query(ROLES);
  }

  down = noWayBack;
}

async function move(queryRunner: QueryRunner, from: string, to: string): Promise<void> {
  for (const table of TABLES) await queryRunner.query(`ALTER TABLE ${from}.${table} SET SCHEMA ${to}`);
  for (const name of FUNCTIONS) await queryRunner.query(`ALTER FUNCTION ${from}.${name} SET SCHEMA ${to}`);
  await queryRunner.query(`ALTER SEQUENCE ${from}.approval_sequence SET SCHEMA ${to}`);
}
