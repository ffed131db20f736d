/** The runs of a node's attempts: each of an executor that the caller has claimed, and written to by nobody else. */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { ENFORCEMENTS } from '#lib/profiles';
import { type SqlFunction } from '../sql-function.js';
import { STORED_BYTES } from '../tenant-usage.js';
import { NUMBER } from './identity.js';
import { helperFunction, nodeFunction } from './node-function.js';

/** Bytes of one part of a log or trace, and of all of it: the most that PORIN_LOG_LIMIT_BYTES and its like may say. */
const CHUNK_BYTES = 16 * 1024 ** 2;
const ARTIFACT_BYTES = 1024 ** 3;
/** Of one run; porin-init reports far fewer, and what is found beside a profile is as much again. */
const DENIALS = 10_000;
/** Of the shape and of the description of one, and of all that a run has: what DenialList has room for, many times. */
const DENIAL_BYTES = 4096;
const DENIALS_BYTES = 4 * 1024 ** 2;
/** Of one phase, milliseconds: a year. */
const PHASE_MS = 366 * 24 * 3600 * 1000;
/** Of what a recording lacks, and of the text of each. */
const PARTIAL_REASONS = { most: 100, characters: 1000 };
/** Of the JSON text of a recording, as Postgres writes it. */
const RECORDING_BYTES = 32 * 1024 ** 2;
const FACTS_BYTES = 64 * 1024;
const PHASES = ['queue', 'stage', 'create', 'start', 'payload', 'remove', 'upload'];

export const RUN: readonly SqlFunction[] = [
  // A run of the caller's, and whether it still goes on.
  helperFunction(
    'own_run',
    'of_run uuid',
    'boolean',
    `
BEGIN
  PERFORM FROM porin.executor_run
  WHERE id = of_run AND node_id = porin.calling_node() AND ended_at IS NULL FOR NO KEY UPDATE;
  RETURN FOUND;
END`,
  ),
  // Of the job's inputs, each once; anything else is left out.
  helperFunction(
    'cached_inputs',
    'inputs jsonb, told jsonb',
    'jsonb',
    `
BEGIN
  IF jsonb_typeof(told) <> 'array' THEN RETURN '[]'; END IF;
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('input', place - 1, 'bytes', bytes) ORDER BY place), '[]')
    FROM jsonb_array_elements(inputs) WITH ORDINALITY AS input (given, place)
    JOIN LATERAL (
      SELECT porin.counted((each->>'bytes')::numeric, ${NUMBER}) AS bytes FROM jsonb_array_elements(told) AS each
      WHERE each->'input' = to_jsonb(place - 1) AND jsonb_typeof(each->'bytes') = 'number' LIMIT 1
    ) AS one ON true);
END`,
  ),
  // started is false where the profile version is approved no more: then nothing may be run under it.
  nodeFunction(
    'node_start_run',
    `
DECLARE
  self uuid := porin.calling_node();
  run record;
  of_job porin.job%ROWTYPE;
  pinned uuid;
BEGIN
  SELECT * INTO run FROM jsonb_to_record(input) AS run("jobId" uuid, number integer, id uuid, position integer,
    "buildId" uuid, "profileVersionId" uuid, enforcement text, monitoring text, "selectionReason" text, "filterDigest" text,
    "inputsDigest" text, "dataDigest" text, "nodeFacts" jsonb);
  IF NOT porin.hold_attempt(run."jobId", run.number) THEN RETURN '{"open": false, "started": false}'; END IF;
  SELECT * INTO of_job FROM porin.job WHERE id = run."jobId";
  SELECT build_id INTO pinned FROM porin.executor WHERE job_id = run."jobId" AND executor.position = run.position;
  IF pinned IS NULL OR pinned IS DISTINCT FROM run."buildId" THEN
    RAISE EXCEPTION 'the executor is not pinned to that build' USING ERRCODE = 'insufficient_privilege';
  ELSIF NOT coalesce(run.enforcement IN (${ENFORCEMENTS.map((one) => `'${one}'`).join(', ')}), false)
    OR (run.enforcement = 'none') <> (run."profileVersionId" IS NULL) THEN
    RAISE EXCEPTION 'a profile is enforced, audited, or not there' USING ERRCODE = 'check_violation';
  ELSIF run."profileVersionId" IS NOT NULL AND NOT EXISTS (SELECT FROM porin.profile_version
    WHERE id = run."profileVersionId" AND build_id = pinned AND state = 'APPROVED') THEN
    RETURN '{"open": true, "started": false}';
  END IF;
  INSERT INTO porin.executor_run (job_id, attempt_number, id, position, build_id, profile_version_id, node_id, enforcement,
    monitoring, selection_reason, filter_digest, inputs_digest, data_digest, node_facts, calibration, block)
  VALUES (run."jobId", run.number, run.id, run.position, pinned, run."profileVersionId", self, run.enforcement,
    run.monitoring, porin.bounded(run."selectionReason", 4096), porin.bounded(run."filterDigest", 128),
    porin.bounded(run."inputsDigest", 128), porin.bounded(run."dataDigest", 128),
    porin.bounded(run."nodeFacts"::text, ${FACTS_BYTES})::jsonb, of_job.calibration, of_job.block);
  INSERT INTO porin.artifact (executor_run_id, kind)
  SELECT run.id, kind FROM unnest(ARRAY['stdout', 'stderr', 'trace']) AS kind
  WHERE kind <> 'trace' OR run.monitoring IN ('trace', 'trace-notify');
  IF input ? 'cachedInputs' AND input->'cachedInputs' <> '[]' THEN
    UPDATE porin.attempt SET cached_inputs = porin.cached_inputs(of_job.inputs, input->'cachedInputs')
    WHERE job_id = run."jobId" AND number = run.number AND cached_inputs = '[]';
  END IF;
  UPDATE porin.job SET state = 'RUNNING' WHERE id = run."jobId" AND state = 'INITIALIZING';
  RETURN '{"open": true, "started": true}';
END`,
  ),
  // In order and without gaps; may be told again of a part that is there. The last one is all that is looked at.
  nodeFunction(
    'node_append_artifact',
    `
DECLARE
  of_artifact uuid;
  start bigint := (input->>'offset')::bigint;
  stored bigint;
BEGIN
  IF NOT porin.own_run((input->>'runId')::uuid) THEN RETURN 'false'; END IF;
  SELECT id INTO of_artifact FROM porin.artifact
  WHERE executor_run_id = (input->>'runId')::uuid AND kind = input->>'kind';
  SELECT byte_offset + octet_length(chunk.content) INTO stored FROM porin.artifact_chunk AS chunk
  WHERE artifact_id = of_artifact ORDER BY byte_offset DESC LIMIT 1;
  stored := coalesce(stored, 0);
  IF of_artifact IS NULL OR start > stored OR octet_length(content) > ${CHUNK_BYTES}
    OR start + octet_length(content) > ${ARTIFACT_BYTES} THEN
    RAISE EXCEPTION 'this is no next part of it' USING ERRCODE = 'check_violation';
  END IF;
  IF start = stored AND octet_length(content) > 0 THEN
    INSERT INTO porin.artifact_chunk (artifact_id, byte_offset, content) VALUES (of_artifact, start, content);
    -- What comes after the attempt's end was not counted by it.
    UPDATE porin.artifact SET bytes = ${STORED_BYTES} FROM porin.executor_run AS run
    JOIN porin.attempt ON attempt.job_id = run.job_id AND attempt.number = run.attempt_number
    WHERE artifact.id = of_artifact AND run.id = artifact.executor_run_id AND NOT ${ATTEMPT_IS_OPEN};
  END IF;
  RETURN 'true';
END`,
    ', content bytea',
  ),
  // Those that are there get their counts, which only grow. Of the others, those that the run has room for; answers with how
  // many calls the rest is.
  helperFunction(
    'write_denials',
    'of_run uuid, denials jsonb',
    'bigint',
    `
DECLARE
  room bigint := ${DENIALS_BYTES} - (SELECT coalesce(sum(octet_length(call) + octet_length(shape::text)
    + octet_length(description)), 0) FROM porin.denial WHERE executor_run_id = of_run);
  dropped numeric;
BEGIN
  WITH said AS (
    SELECT told.position, porin.bounded(told.call, 256) AS call, told.shape, told.action,
      CASE WHEN octet_length(told.description) <= ${DENIAL_BYTES} THEN told.description
        ELSE left(told.description, ${DENIAL_BYTES / 4}) END AS description,
      porin.counted(told.count, ${NUMBER}) AS count, known.position IS NOT NULL AS is_known
    FROM jsonb_to_recordset(denials)
      AS told(position integer, call text, shape jsonb, action text, description text, count numeric)
    LEFT JOIN porin.denial AS known ON known.executor_run_id = of_run AND known.position = told.position
  ), judged AS (
    SELECT *, is_known OR (said.position < ${DENIALS} AND octet_length(shape::text) <= ${DENIAL_BYTES}
      AND sum(octet_length(call) + octet_length(shape::text) + octet_length(description)) FILTER (WHERE NOT is_known)
        OVER (ORDER BY said.position) <= room) AS has_room
    FROM said
  ), stored AS (
    INSERT INTO porin.denial AS known (executor_run_id, position, call, shape, action, description, count)
    SELECT of_run, position, call, shape, action, description, count FROM judged WHERE has_room IS DISTINCT FROM false
    ON CONFLICT (executor_run_id, position) DO UPDATE SET count = greatest(known.count, excluded.count)
  )
  SELECT sum(count) INTO dropped FROM judged WHERE NOT has_room;
  RETURN porin.counted(coalesce(dropped, 0), ${NUMBER});
END`,
  ),
  nodeFunction(
    'node_write_denials',
    `
DECLARE
  of_run uuid := (input->>'runId')::uuid;
  dropped bigint;
BEGIN
  IF NOT porin.own_run(of_run) THEN RETURN NULL; END IF;
  dropped := porin.write_denials(of_run, input->'denials');
  UPDATE porin.executor_run SET denials_dropped = dropped WHERE id = of_run AND denials_dropped < dropped;
  RETURN NULL;
END`,
  ),
  // Once: a run that has ended is not written to again.
  nodeFunction(
    'node_finish_run',
    `
DECLARE
  of_run uuid := (input->>'runId')::uuid;
  run record;
BEGIN
  IF NOT porin.own_run(of_run) THEN RETURN 'false'; END IF;
  SELECT * INTO run FROM jsonb_to_record(input->'result') AS run("wallUs" numeric, "userUs" numeric, "systemUs" numeric,
    "maxRssBytes" numeric, "voluntarySwitches" numeric, "involuntarySwitches" numeric, "callCount" numeric,
    "exitCode" integer, signal integer, outcome text, "errorCode" text, "landlockStatus" text, "denialsDropped" numeric);
  IF run."exitCode" NOT BETWEEN 0 AND 255 OR run.signal NOT BETWEEN 1 AND 64 THEN
    RAISE EXCEPTION 'no program ends like that' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE porin.executor_run SET wall_us = porin.counted(run."wallUs", ${NUMBER}),
    user_us = porin.counted(run."userUs", ${NUMBER}), system_us = porin.counted(run."systemUs", ${NUMBER}),
    max_rss_bytes = porin.counted(run."maxRssBytes", ${NUMBER}),
    voluntary_switches = porin.counted(run."voluntarySwitches", ${NUMBER}),
    involuntary_switches = porin.counted(run."involuntarySwitches", ${NUMBER}),
    call_count = porin.counted(run."callCount", ${NUMBER}), exit_code = run."exitCode", signal = run.signal,
    outcome = porin.bounded(run.outcome, 64), error_code = porin.bounded(run."errorCode", 64), phases_ms = porin.phases(input->'phasesMs'),
    landlock_status = run."landlockStatus", ended_at = now(),
    denials_dropped = porin.counted(porin.counted(coalesce(run."denialsDropped", 0), ${NUMBER})::numeric
      + porin.write_denials(of_run, input->'denials'), ${NUMBER})
  WHERE id = of_run;
  UPDATE porin.artifact SET bytes = ${STORED_BYTES}, dropped_bytes = coalesce(porin.counted(said."droppedBytes", ${NUMBER}), 0),
    sha256 = porin.bounded(said.sha256, 128), truncated = coalesce(said.truncated, false)
  FROM porin.artifact AS own LEFT JOIN jsonb_to_recordset(input->'artifacts')
    AS said(kind text, "droppedBytes" numeric, sha256 text, truncated boolean) ON said.kind = own.kind
  WHERE own.executor_run_id = of_run AND artifact.id = own.id;
  IF jsonb_typeof(input->'recording') = 'object' THEN
    INSERT INTO porin.recording (executor_run_id, digest, content, partial_reasons)
    VALUES (of_run, porin.bounded(input->>'recordingDigest', 128),
      porin.bounded((input->'recording')::text, ${RECORDING_BYTES})::jsonb,
      porin.texts(input->'recording'->'partialReasons', ${PARTIAL_REASONS.most}, ${PARTIAL_REASONS.characters}));
  END IF;
  RETURN 'true';
END`,
  ),
  // Milliseconds by phase, of the phases that there are; what is no number is left out.
  helperFunction(
    'phases',
    'given jsonb',
    'jsonb',
    `
BEGIN
  IF jsonb_typeof(given) IS DISTINCT FROM 'object' THEN RETURN NULL; END IF;
  RETURN (SELECT jsonb_object_agg(key, least(greatest((value #>> '{}')::numeric, 0), ${PHASE_MS})::float8)
    FROM jsonb_each(given)
    WHERE key IN (${PHASES.map((phase) => `'${phase}'`).join(', ')}) AND jsonb_typeof(value) = 'number');
END`,
  ),
  // What follows a run's end: once, and soon after its attempt's end at the latest.
  nodeFunction(
    'node_add_phases',
    `
BEGIN
  UPDATE porin.executor_run AS run SET phases_ms = run.phases_ms || coalesce(porin.phases(input->'phasesMs'), '{}')
  FROM porin.attempt
  WHERE run.id = (input->>'runId')::uuid AND attempt.job_id = run.job_id AND attempt.number = run.attempt_number
    AND attempt.node_id = porin.calling_node() AND NOT run.phases_ms ? 'upload'
    AND (attempt.ended_at IS NULL OR attempt.ended_at > now() - interval '1 minute');
  RETURN NULL;
END`,
  ),
];
