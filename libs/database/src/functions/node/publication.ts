/**
 * Publications: what an attempt has staged, the manifest that is the commit point, and how far it was carried out. Every write
 * but `node_swept` needs the attempt to hold its job, and the lease.
 */
import { type SqlFunction } from '../sql-function.js';
import { LEASE_S, LEAVES_STAGED } from './claim.js';
import { ATTEMPT_ERROR_TERMS, MESSAGE_CHARACTERS, termsOfCode } from './attempt.js';
import { helperFunction, nodeFunction } from './node-function.js';

const OF_ATTEMPT = `attempt.job_id = (input->>'jobId')::uuid AND attempt.number = (input->>'number')::integer
    AND attempt.node_id = porin.calling_node()`;
const RENEWED = `lease_expires_at = now() + make_interval(secs => ${LEASE_S})`;
/**
 * What the node says of each file, beside the one of `files` that it is by its URL, with its place there, null where it is none, and that of its
 * output in the job.
 */
const MANIFEST = `jsonb_to_recordset(input->'manifest') AS said(path text, url text, sha256 text, bytes bigint, temporary text,
      upload text)
    LEFT JOIN (SELECT file->>'path' AS path, file->>'url' AS url, ordinality - 1 AS place,
        coalesce((file->>'output')::bigint, ordinality - 1) AS output
      FROM jsonb_array_elements(files) WITH ORDINALITY AS each(file, ordinality)) AS asked
    ON asked.path = said.path AND asked.url = said.url`;
/** Of one staging: more than a worker selects (libs/staging/src/outputs/select-files.ts). */
const FILES = 20_000;
const FILES_BYTES = 32 * 1024 ** 2;

export const PUBLICATION: readonly SqlFunction[] = [
  // A relative path as childUrl of libs/jobs writes it: every byte that is not unreserved is escaped.
  helperFunction(
    'url_path',
    'rest text',
    'text',
    `
DECLARE bytes bytea := convert_to(rest, 'UTF8');
BEGIN
  IF rest ~ '^[A-Za-z0-9._~/-]*$' THEN RETURN rest; END IF;
  RETURN (SELECT string_agg(CASE WHEN chr(byte) ~ '[A-Za-z0-9._~/-]' AND byte < 128 THEN chr(byte)
      ELSE '%' || upper(lpad(to_hex(byte), 2, '0')) END, '' ORDER BY place)
    FROM (SELECT place, get_byte(bytes, place) AS byte FROM generate_series(0, octet_length(bytes) - 1) AS place) AS each);
END`,
  ),
  // Whether a node may publish the path at the URL for that output of its job.
  helperFunction(
    'is_output_file',
    'of_output jsonb, of_path text, of_url text',
    'boolean',
    `
DECLARE
  prefix text := coalesce(of_output->>'pathPrefix', CASE of_output->>'type' WHEN 'DIRECTORY' THEN of_output->>'path' END);
  rest text;
BEGIN
  IF prefix IS NULL THEN RETURN of_path = of_output->>'path' AND of_url = of_output->>'url'; END IF;
  prefix := rtrim(prefix, '/') || '/';
  IF NOT starts_with(of_path, prefix) THEN RETURN false; END IF;
  rest := substr(of_path, length(prefix) + 1);
  RETURN rest !~ '(^|/)([.][.]?)?(/|$)' AND of_url = (of_output->>'url') || '/' || porin.url_path(rest);
END`,
  ),
  // Before the first byte is staged, so that whoever comes after a crash knows the names. With files where the job's outputs are
  // not one file each.
  nodeFunction(
    'node_begin_staging',
    `
DECLARE files jsonb := nullif(input->'files', 'null');
BEGIN
  IF NOT coalesce(input->>'token' ~ '^[A-Za-z0-9-]{1,64}$', false) THEN
    RAISE EXCEPTION 'no token of a staging' USING ERRCODE = 'check_violation';
  END IF;
  IF files IS NOT NULL THEN
    PERFORM FROM porin.attempt WHERE ${OF_ATTEMPT} AND attempt.state = 'OPEN';
    IF NOT FOUND THEN RETURN 'false'; END IF;
    IF octet_length(files::text) > ${FILES_BYTES} OR jsonb_array_length(files) > ${FILES} OR NOT (
      SELECT coalesce(count(DISTINCT file.url) = count(*)
          AND bool_and(coalesce(porin.is_output_file(asked.output, file.path, file.url), false)), true)
      FROM jsonb_to_recordset(files) AS file(output integer, path text, url text)
        LEFT JOIN (SELECT each.output, ordinality - 1 AS place FROM porin.job
          CROSS JOIN jsonb_array_elements(job.outputs) WITH ORDINALITY AS each(output, ordinality)
          WHERE job.id = (input->>'jobId')::uuid) AS asked ON asked.place = file.output) THEN
      RAISE EXCEPTION 'the files are not of the job''s outputs' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  UPDATE porin.attempt SET staging_token = input->>'token', staged_files = files, ${RENEWED}
  WHERE ${OF_ATTEMPT} AND attempt.state = 'OPEN' AND attempt.lease_expires_at > now();
  RETURN to_jsonb(FOUND);
END`,
  ),
  // The commit point: all outputs of the job, as they were staged. Answers with held, canceled or lost.
  nodeFunction(
    'node_commit_publication',
    `
DECLARE
  self uuid := porin.calling_node();
  of_job porin.job%ROWTYPE;
  manifest record;
  staged jsonb;
  files jsonb;
BEGIN
  SELECT staged_files INTO staged FROM porin.attempt
  WHERE ${OF_ATTEMPT} AND attempt.state = 'OPEN' AND attempt.lease_expires_at > now() FOR UPDATE;
  IF NOT FOUND THEN RETURN '"lost"'; END IF;
  SELECT * INTO of_job FROM porin.job WHERE id = (input->>'jobId')::uuid FOR NO KEY UPDATE;
  IF of_job.state <> 'RUNNING' THEN RETURN to_jsonb(CASE of_job.state WHEN 'CANCELING' THEN 'canceled' ELSE 'lost' END); END IF;
  IF jsonb_typeof(input->'end') = 'object' AND NOT EXISTS (${ATTEMPT_ERROR_TERMS}
    WHERE terms.code = input->'end'->>'code' AND terms.job_state = 'EXECUTOR_ERROR') THEN
    RAISE EXCEPTION 'no payload ends by that' USING ERRCODE = 'check_violation';
  END IF;
  files := coalesce(staged, of_job.outputs);
  -- All of them, or after an error of the payload those that it left. Another node will open, rename and remove what this
  -- names: names are those of the attempt's own staging, and bytes what the job's disk holds.
  SELECT count(*) AS outputs, count(DISTINCT asked.place) AS places, coalesce(sum(said.bytes), 0) AS bytes,
    coalesce(bool_and(coalesce(said.bytes >= 0 AND said.sha256 ~ '^[0-9a-f]{64}$'
      AND said.temporary = '.porin-' || own.staging_token || '-' || asked.place || '.part'
      AND (said.upload IS NULL OR said.url ILIKE 's3:%'), false)), true) AS is_own
  INTO STRICT manifest
  FROM porin.attempt AS own, ${MANIFEST} WHERE own.job_id = of_job.id AND own.number = (input->>'number')::integer;
  IF NOT manifest.is_own OR manifest.places <> manifest.outputs OR manifest.bytes > of_job.disk_bytes
    OR (jsonb_typeof(input->'end') IS DISTINCT FROM 'object' AND manifest.outputs <> jsonb_array_length(files)) THEN
    RAISE EXCEPTION 'the manifest is not of the job''s outputs' USING ERRCODE = 'check_violation';
  END IF;
  -- Directories and patterns may have no file; any other output is one.
  IF staged IS NOT NULL AND jsonb_typeof(input->'end') IS DISTINCT FROM 'object' AND EXISTS (
    SELECT FROM jsonb_array_elements(of_job.outputs) WITH ORDINALITY AS each(output, ordinality)
    WHERE output->>'pathPrefix' IS NULL AND output->>'type' IS DISTINCT FROM 'DIRECTORY'
      AND ordinality - 1 NOT IN (SELECT (file->>'output')::bigint FROM jsonb_array_elements(staged) AS file)) THEN
    RAISE EXCEPTION 'the manifest is not of all outputs' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE porin.attempt SET state = 'PUBLISHING', ${RENEWED} WHERE ${OF_ATTEMPT};
  UPDATE porin.job SET publishing_since = now() WHERE id = of_job.id;
  INSERT INTO porin.publication (job_id, attempt_number, node_id, error_code, error_message)
  VALUES (of_job.id, (input->>'number')::integer, self, input->'end'->>'code',
    left(input->'end'->>'message', ${MESSAGE_CHARACTERS}));
  INSERT INTO porin.job_output (job_id, attempt_number, path, url, sha256, bytes, temporary, upload, position)
  SELECT of_job.id, (input->>'number')::integer, said.path, said.url, said.sha256, said.bytes, said.temporary, said.upload,
    asked.output
  FROM ${MANIFEST};
  RETURN '"held"';
END`,
  ),
  // Of an attempt whose job has a manifest: it goes on from there, and nothing else.
  nodeFunction(
    'node_resume_publication',
    `
BEGIN
  UPDATE porin.attempt SET state = 'PUBLISHING', ${RENEWED} FROM porin.publication
  WHERE ${OF_ATTEMPT} AND attempt.state = 'OPEN' AND attempt.lease_expires_at > now() AND publication.job_id = attempt.job_id;
  IF NOT FOUND THEN RETURN 'false'; END IF;
  UPDATE porin.job SET state = 'RUNNING' WHERE id = (input->>'jobId')::uuid AND state = 'INITIALIZING';
  RETURN 'true';
END`,
  ),
  // Marks outputs that are in place, by their URLs: a manifest has each once.
  helperFunction(
    'mark_published',
    'of_job uuid, published jsonb',
    'void',
    `
BEGIN
  UPDATE porin.job_output AS output SET published_at = now()
  FROM porin.publication, jsonb_array_elements_text(published) AS told(url)
  WHERE publication.job_id = of_job AND output.job_id = of_job AND output.attempt_number = publication.attempt_number
    AND output.url = told.url AND output.published_at IS NULL;
END`,
  ),
  // Before each output.
  nodeFunction(
    'node_go_on_publishing',
    `
BEGIN
  UPDATE porin.attempt SET ${RENEWED} WHERE ${OF_ATTEMPT} AND attempt.state = 'PUBLISHING' AND attempt.lease_expires_at > now();
  IF NOT FOUND THEN RETURN 'false'; END IF;
  PERFORM porin.mark_published((input->>'jobId')::uuid, input->'published');
  RETURN 'true';
END`,
  ),
  // Ends the job as its manifest says. False while an output is neither in place nor among these.
  nodeFunction(
    'node_complete_publication',
    `
DECLARE
  of_job uuid := (input->>'jobId')::uuid;
  error record;
BEGIN
  PERFORM FROM porin.attempt WHERE ${OF_ATTEMPT} AND attempt.state = 'PUBLISHING' FOR UPDATE;
  IF NOT FOUND OR EXISTS (SELECT FROM porin.job_output AS output WHERE output.job_id = of_job AND published_at IS NULL
    AND NOT input->'published' ? url) THEN RETURN 'false'; END IF;
  SELECT error_code AS code, error_message AS message INTO STRICT error FROM porin.publication WHERE job_id = of_job;
  PERFORM porin.mark_published(of_job, input->'published');
  UPDATE porin.attempt SET state = CASE WHEN error.code IS NULL THEN 'COMPLETE' ELSE 'FAILED' END, ended_at = now(),
    error_code = error.code, error_message = error.message,
    staging_token = CASE WHEN (input->>'leavesBytes')::boolean THEN staging_token END,
    staged_files = CASE WHEN (input->>'leavesBytes')::boolean THEN staged_files END
  WHERE ${OF_ATTEMPT};
  UPDATE porin.job SET state = CASE WHEN error.code IS NULL THEN 'COMPLETE' ELSE 'EXECUTOR_ERROR' END, ended_at = now(),
    error_code = error.code, error_message = error.message
  WHERE id = of_job AND state = 'RUNNING';
  RETURN 'true';
END`,
  ),
  // An error that another attempt may not have leaves the rest to it; any other ends the job. A node that ends gives it back.
  nodeFunction(
    'node_fail_publication',
    `
DECLARE
  of_job uuid := (input->>'jobId')::uuid;
  error record;
BEGIN
  ${termsOfCode('error')}
  UPDATE porin.attempt SET state = CASE error.attempt_state WHEN 'RELEASED' THEN 'RELEASED' ELSE 'FAILED' END, ended_at = now(),
    error_code = error.code, error_message = left(input->>'message', ${MESSAGE_CHARACTERS})
  WHERE ${OF_ATTEMPT} AND attempt.state = 'PUBLISHING';
  IF NOT FOUND THEN RETURN 'false'; END IF;
  PERFORM porin.mark_published(of_job, input->'published');
  IF error.job_state IS NOT NULL THEN
    UPDATE porin.job SET state = error.job_state, ended_at = now(), error_code = error.code,
      error_message = left(input->>'message', ${MESSAGE_CHARACTERS})
    WHERE id = of_job AND state = 'RUNNING';
  END IF;
  RETURN 'true';
END`,
  ),
  // What attempts of the caller may have left that nobody goes on from, but for the tokens that are skipped; with what was sealed
  // for it, once.
  nodeFunction(
    'node_abandoned_stagings',
    `
DECLARE answer jsonb;
BEGIN
  WITH left_behind AS (
    SELECT attempt.job_id, attempt.number, attempt.staging_token, coalesce(attempt.staged_files, job.outputs) AS outputs,
      attempt.started_at
    FROM porin.attempt JOIN porin.job ON job.id = attempt.job_id
    WHERE attempt.node_id = porin.calling_node() AND ${LEAVES_STAGED} AND NOT coalesce(input->'skipped', '[]') ? attempt.staging_token
    ORDER BY attempt.started_at LIMIT 100
  ), taken AS (
    DELETE FROM porin.sealed_secret AS secret USING left_behind
    WHERE secret.job_id = left_behind.job_id AND secret.fence = left_behind.number AND secret.node_id = porin.calling_node()
    RETURNING secret.job_id, secret.fence, secret.name, secret.kind, secret.prefix, secret.sealed
  )
  SELECT coalesce(jsonb_agg(jsonb_build_object('jobId', job_id, 'number', number, 'token', staging_token, 'outputs', outputs,
      'secrets', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'kind', kind, 'prefix', prefix, 'sealed', sealed)),
          '[]') FROM taken WHERE taken.job_id = left_behind.job_id AND taken.fence = left_behind.number)) ORDER BY started_at), '[]')
  INTO answer FROM left_behind;
  RETURN answer;
END`,
  ),
  // What was staged under the token is gone. Another node that swept it cannot know: bytes to be sent lie on this one alone.
  nodeFunction(
    'node_swept',
    `
BEGIN
  UPDATE porin.attempt SET staging_token = NULL, staged_files = NULL
  WHERE attempt.job_id = (input->>'jobId')::uuid AND attempt.number = (input->>'number')::integer
    AND attempt.staging_token = input->>'token'
    AND attempt.node_id = porin.calling_node();
  RETURN NULL;
END`,
  ),
];
