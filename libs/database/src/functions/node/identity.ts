/** Who calls, and what is the caller's: every other function for nodes begins with these. */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { RESTORE_MARK } from '../../restore-mark.js';
import { type SqlFunction } from '../sql-function.js';
import { helperFunction, nodeFunction } from './node-function.js';

/** Of any number that is told as JSON: 2^53 - 1. */
export const NUMBER = String(Number.MAX_SAFE_INTEGER);

export const IDENTITY: readonly SqlFunction[] = [
  // By session_user, which no SET ROLE changes. Nobody is a node before a restore is finished: until then, these functions may
  // be of another owner, and passwords of earlier lives are valid.
  helperFunction(
    'calling_node',
    '',
    'uuid',
    `
DECLARE self uuid;
BEGIN
  IF to_regnamespace('${RESTORE_MARK}') IS NOT NULL THEN
    RAISE EXCEPTION 'a restore of this database is not finished' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  SELECT id INTO self FROM porin.node WHERE role_name = session_user::text;
  IF self IS NULL THEN
    RAISE EXCEPTION 'the database role % is of no node', session_user USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN self;
END`,
    'STABLE',
  ),
  // Whether the attempt is the caller's and open; it stays so until the transaction ends.
  helperFunction(
    'hold_attempt',
    'of_job uuid, of_number integer',
    'boolean',
    `
BEGIN
  PERFORM FROM porin.attempt
  WHERE job_id = of_job AND number = of_number AND state = 'OPEN' AND node_id = porin.calling_node() FOR UPDATE;
  RETURN FOUND;
END`,
  ),
  // Whether an attempt of the job is the caller's and open.
  helperFunction(
    'holds_job',
    'of_job uuid',
    'boolean',
    `
BEGIN
  RETURN EXISTS (SELECT FROM porin.attempt WHERE job_id = of_job AND ${ATTEMPT_IS_OPEN} AND node_id = porin.calling_node());
END`,
    'STABLE',
  ),
  // Whether an executor of a job that the caller holds is pinned to the build.
  helperFunction(
    'holds_build',
    'of_build uuid',
    'boolean',
    `
BEGIN
  RETURN EXISTS (SELECT FROM porin.attempt JOIN porin.executor USING (job_id)
    WHERE ${ATTEMPT_IS_OPEN} AND attempt.node_id = porin.calling_node() AND executor.build_id = of_build);
END`,
    'STABLE',
  ),
  // Texts that a node writes have a length, by bytes.
  helperFunction(
    'bounded',
    'given text, maximum integer',
    'text',
    `
BEGIN
  IF octet_length(given) > maximum THEN
    RAISE EXCEPTION 'a text is longer than % bytes', maximum USING ERRCODE = 'string_data_right_truncation';
  END IF;
  RETURN given;
END`,
  ),
  // Numbers that a node writes are what a number of ours can be, and what is told of them in JSON too; null stays null.
  helperFunction(
    'counted',
    'given numeric, maximum bigint',
    'bigint',
    `
BEGIN
  RETURN CASE WHEN given IS NOT NULL THEN least(greatest(given, 0), maximum) END;
END`,
  ),
  // Of a JSON array of texts, each of so many characters and all of them; anything else of it is left out.
  helperFunction(
    'texts',
    'given jsonb, most integer, characters integer',
    'text[]',
    `
BEGIN
  IF jsonb_typeof(given) IS DISTINCT FROM 'array' THEN RETURN '{}'; END IF;
  RETURN ARRAY(SELECT left(value #>> '{}', characters) FROM jsonb_array_elements(given) WITH ORDINALITY AS each(value, place)
    WHERE jsonb_typeof(value) = 'string' ORDER BY place LIMIT most);
END`,
  ),
  // The version of this database, for a worker to refuse another than its own.
  nodeFunction(
    'node_schema',
    `
BEGIN
  RETURN jsonb_build_object('migrations', (SELECT jsonb_agg(name ORDER BY id) FROM porin.migrations),
    'functions', (SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'porin'));
END`,
  ),
  // Milliseconds since the epoch.
  nodeFunction(
    'node_clock',
    `
BEGIN
  RETURN to_jsonb((extract(epoch FROM clock_timestamp()) * 1000)::float8);
END`,
  ),
];
