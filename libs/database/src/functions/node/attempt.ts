/** How a node keeps and ends its attempts, each only while it is open: a lost worker changes nothing of a job. */
import { ATTEMPT_IS_OPEN, attemptStateOf, ERROR_CATALOGUE, JOB_ERROR_CODES, type WaitingReason } from '#lib/jobs';
import { type SqlFunction } from '../sql-function.js';
import { LEASE_S } from './claim.js';
import { NUMBER } from './identity.js';
import { helperFunction, nodeFunction } from './node-function.js';

/** How long a job waits for the decision about what it was refused. */
const HELD_DAYS = 7;
/** Of an error's message, characters; the rest is cut off. */
export const MESSAGE_CHARACTERS = 10_000;
/** What a worker may give a job back for. */
const HELD_FOR: readonly WaitingReason[] = [
  'waiting-for-approved-profile',
  'waiting-for-inherited-profile',
  'waiting-for-stage-decision',
  'waiting-for-known-content',
];

/** The catalogue as rows: code, state of the attempt, state of the job; null where the job is the reconciler's to go on with. */
const TERMS = JOB_ERROR_CODES.map((code) => {
  const { retryable, mayBeNode, finalState } = ERROR_CATALOGUE[code];
  const jobState = retryable || mayBeNode || finalState === null ? 'NULL' : `'${finalState}'`;
  return `('${code}', '${attemptStateOf(code)}', ${jobState})`;
});

/** The same as a SELECT; a WHERE may follow. */
export const ATTEMPT_ERROR_TERMS = `SELECT * FROM (VALUES ${TERMS.join(', ')}) AS terms(code, attempt_state, job_state)`;

/** Statements that read the terms of the input's code into a record; an unknown code is an error. */
export function termsOfCode(variable: string): string {
  return `SELECT * INTO ${variable} FROM (${ATTEMPT_ERROR_TERMS}) AS known WHERE known.code = input->>'code';
  IF NOT FOUND THEN RAISE EXCEPTION 'unknown error code' USING ERRCODE = 'check_violation'; END IF;`;
}

export const KEY = `(input->>'jobId')::uuid, (input->>'number')::integer`;

export const ATTEMPT: readonly SqlFunction[] = [
  // A lease that has run out is not renewed: the reconciler may be giving the job to another. While inputs are being staged it says
  // how far they are.
  nodeFunction(
    'node_renew',
    `
DECLARE
  job_state text;
  staged record;
BEGIN
  SELECT porin.counted(coalesce(inputs, 0), ${NUMBER}) AS inputs, porin.counted(coalesce(bytes, 0), ${NUMBER}) AS bytes,
    porin.counted("totalBytes", ${NUMBER}) AS total_bytes
  INTO staged FROM jsonb_to_record(input->'staged') AS said(inputs numeric, bytes numeric, "totalBytes" numeric);
  UPDATE porin.attempt SET lease_expires_at = now() + make_interval(secs => ${LEASE_S}),
    inputs_staged = CASE WHEN input ? 'staged' THEN least(staged.inputs, jsonb_array_length(job.inputs)) END,
    input_bytes_staged = CASE WHEN input ? 'staged' THEN least(staged.bytes, staged.total_bytes) END,
    input_bytes_total = CASE WHEN input ? 'staged' THEN staged.total_bytes END
  FROM porin.job
  WHERE job.id = attempt.job_id AND attempt.job_id = (input->>'jobId')::uuid AND attempt.number = (input->>'number')::integer
    AND ${ATTEMPT_IS_OPEN} AND attempt.node_id = porin.calling_node() AND attempt.lease_expires_at > now()
  RETURNING job.state INTO job_state;
  RETURN to_jsonb(CASE WHEN job_state IS NULL THEN 'lost' WHEN job_state = 'CANCELING' THEN 'canceled' ELSE 'held' END);
END`,
  ),
  // False where the attempt is the caller's no more; nothing is written then.
  helperFunction(
    'end_attempt',
    'of_job uuid, of_number integer, to_state text, code text, message text',
    'boolean',
    `
BEGIN
  UPDATE porin.attempt SET state = to_state, ended_at = now(), error_code = code,
    error_message = left(message, ${MESSAGE_CHARACTERS})
  WHERE job_id = of_job AND number = of_number AND state = 'OPEN' AND node_id = porin.calling_node();
  RETURN FOUND;
END`,
  ),
  helperFunction(
    'end_canceled',
    'of_job uuid',
    'boolean',
    `
BEGIN
  UPDATE porin.job SET state = 'CANCELED', ended_at = now() WHERE id = of_job AND state = 'CANCELING';
  RETURN FOUND;
END`,
  ),
  // Of a job without outputs, see publication.ts for others. It ends COMPLETE, or CANCELED when a cancel came before this.
  nodeFunction(
    'node_complete',
    `
DECLARE of_job uuid := (input->>'jobId')::uuid;
BEGIN
  IF EXISTS (SELECT FROM porin.job WHERE id = of_job AND outputs <> '[]')
    OR NOT porin.end_attempt(${KEY}, 'COMPLETE', NULL, NULL) THEN RETURN 'false'; END IF;
  UPDATE porin.job SET state = CASE state WHEN 'RUNNING' THEN 'COMPLETE' ELSE 'CANCELED' END, ended_at = now()
  WHERE id = of_job AND state IN ('RUNNING', 'CANCELING');
  RETURN 'true';
END`,
  ),
  // An error that another attempt may not have leaves the job to the reconciler, which alone makes attempts.
  nodeFunction(
    'node_fail',
    `
DECLARE
  of_job uuid := (input->>'jobId')::uuid;
  terms record;
BEGIN
  ${termsOfCode('terms')}
  IF NOT porin.end_attempt(${KEY}, terms.attempt_state, terms.code, input->>'message') THEN RETURN 'false'; END IF;
  IF porin.end_canceled(of_job) OR terms.job_state IS NULL THEN RETURN 'true'; END IF;
  UPDATE porin.job SET state = terms.job_state, error_code = terms.code,
    error_message = left(input->>'message', ${MESSAGE_CHARACTERS}), ended_at = now()
  WHERE id = of_job AND state IN ('INITIALIZING', 'RUNNING');
  RETURN 'true';
END`,
  ),
  // Gives the job back until what it waits for is there: the API queues it again then.
  nodeFunction(
    'node_hold',
    `
DECLARE of_job uuid := (input->>'jobId')::uuid;
BEGIN
  IF NOT coalesce(input->>'reason' IN (${HELD_FOR.map((reason) => `'${reason}'`).join(', ')}), false) THEN
    RAISE EXCEPTION 'no worker holds a job for that' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT porin.end_attempt(${KEY}, 'RELEASED', NULL, NULL) THEN RETURN 'false'; END IF;
  IF NOT porin.end_canceled(of_job) THEN
    UPDATE porin.job SET state = 'QUEUED', waiting_reason = input->>'reason' WHERE id = of_job AND state = 'INITIALIZING';
  END IF;
  RETURN 'true';
END`,
  ),
  // Its payload was refused calls and has ended: the job waits for the decision about the next version of the build, which is
  // one of its own. It is no failure of the grid's, and the API alone goes on from here.
  nodeFunction(
    'node_hold_for_decision',
    `
DECLARE of_job uuid := (input->>'jobId')::uuid;
BEGIN
  IF NOT EXISTS (SELECT FROM porin.executor WHERE job_id = of_job AND build_id = (input->>'buildId')::uuid) THEN
    RAISE EXCEPTION 'the build is none of the job''s' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT porin.end_attempt(${KEY}, 'FAILED', CASE input->>'code' WHEN 'denial-storm' THEN 'denial-storm' ELSE 'denied' END,
    input->>'message') THEN RETURN 'false'; END IF;
  IF NOT porin.end_canceled(of_job) THEN
    UPDATE porin.job SET state = 'QUEUED', waiting_reason = 'waiting-for-profile-decision',
      held_build_id = (input->>'buildId')::uuid, held_until = now() + make_interval(days => ${HELD_DAYS})
    WHERE id = of_job AND state IN ('INITIALIZING', 'RUNNING');
  END IF;
  RETURN 'true';
END`,
  ),
];
