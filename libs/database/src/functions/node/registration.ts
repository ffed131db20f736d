/** A node's own row: what it says of itself, that it is alive, and the one connection that holds its name. */
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { MONITORINGS } from '#lib/profiles';
import { type SqlFunction } from '../sql-function.js';
import { nodeFunction } from './node-function.js';

/** Of what a node says about what ails it. */
const AILMENT_CHARACTERS = 1_000;
/** Of a row `node`: it is asked for, and neither answered nor given up. */
const PROBE_IS_OPEN = `probe_asked_at IS NOT NULL AND probe_asked_at > coalesce(probed_at, '-infinity')
    AND probe_answer IS DISTINCT FROM probe_number`;

export const REGISTRATION: readonly SqlFunction[] = [
  // True where this connection now holds the node's name, false where another one does. By what Postgres knows of the
  // sessions of the node's role, because advisory locks are anybody's.
  nodeFunction(
    'node_open_session',
    `
DECLARE
  self uuid := porin.calling_node();
  own record;
BEGIN
  SELECT session_pid, session_started_at INTO own FROM porin.node WHERE id = self FOR NO KEY UPDATE;
  IF own.session_pid <> pg_backend_pid() AND EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pid = own.session_pid AND backend_start = own.session_started_at AND usename = session_user
  ) THEN
    RETURN 'false';
  END IF;
  UPDATE porin.node SET session_pid = pg_backend_pid(),
    session_started_at = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
  WHERE id = self;
  RETURN 'true';
END`,
  ),
  // The text is what the node's key has signed; until the API has verified that, the node is not READY and claims nothing.
  nodeFunction(
    'node_register',
    `
DECLARE
  self uuid := porin.calling_node();
  own porin.node%ROWTYPE;
  said record;
BEGIN
  SELECT * INTO own FROM porin.node WHERE id = self FOR NO KEY UPDATE;
  SELECT * INTO said FROM jsonb_to_record(porin.bounded(input->>'text', 65536)::jsonb) AS said(
    name text, architecture text, slots integer, "cpuMilli" integer, "memoryBytes" bigint, "diskBytes" bigint,
    "offeredMonitorings" text[], facts jsonb, "startedAt" text,
    "sealingKey" text);
  IF said.name IS DISTINCT FROM own.name THEN
    RAISE EXCEPTION 'these are the credentials of the node "%", and not of "%": set PORIN_NODE_NAME', own.name, said.name
      USING ERRCODE = 'insufficient_privilege';
  ELSIF said.architecture IS DISTINCT FROM own.architecture THEN
    RAISE EXCEPTION 'the node "%" was added as one of architecture %, and says that it is %', own.name, own.architecture,
      said.architecture USING ERRCODE = 'insufficient_privilege';
  ELSIF least(said.slots, said."cpuMilli", said."memoryBytes", said."diskBytes") < 1 THEN
    RAISE EXCEPTION 'a node gives something of everything' USING ERRCODE = 'check_violation';
  ELSIF num_nulls(said.slots, said."cpuMilli", said."memoryBytes", said."diskBytes", input->>'signature') > 0
    OR greatest(said."memoryBytes", said."diskBytes") > ${Number.MAX_SAFE_INTEGER}
    OR NOT coalesce(said."offeredMonitorings" <@ '{${MONITORINGS.join(',')}}', false)
    OR cardinality(said."offeredMonitorings") > ${MONITORINGS.length} OR array_ndims(said."offeredMonitorings") > 1
    OR jsonb_typeof(said.facts) IS DISTINCT FROM 'object'
    OR NOT coalesce(octet_length(said."startedAt") BETWEEN 1 AND 64, false)
    OR said."sealingKey" !~ '^[A-Za-z0-9+/]{43}=$' THEN
    RAISE EXCEPTION 'a node says of itself what no node can be' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE porin.node SET
    slots = least(said.slots, own.maximum_slots),
    cpu_milli = least(said."cpuMilli", own.maximum_cpu_milli),
    memory_bytes = least(said."memoryBytes", own.maximum_memory_bytes),
    disk_bytes = least(said."diskBytes", own.maximum_disk_bytes),
    offered_monitorings = said."offeredMonitorings",
    facts = said.facts,
    sealing_key = said."sealingKey",
    started_at = CASE WHEN own.registration::jsonb->>'startedAt' = said."startedAt" THEN own.started_at ELSE now() END,
    state = CASE WHEN own.registration::jsonb->>'startedAt' = said."startedAt" THEN own.state ELSE 'DRAINING' END,
    heartbeat_at = now(),
    registration = input->>'text',
    registration_signature = porin.bounded(input->>'signature', 256),
    registration_verified = false
  WHERE id = self;
  PERFORM pg_notify('porin_outbox', '');
  RETURN (SELECT jsonb_build_object('id', id, 'slots', slots, 'cpuMilli', cpu_milli, 'memoryBytes', memory_bytes,
    'diskBytes', disk_bytes) FROM porin.node WHERE id = self);
END`,
  ),
  // Answers with the state that the node has now, and the number of a probe that it is asked for. READY first where its
  // registration has been verified and a probe since its start has been judged. One that says something new of itself stays
  // READY meanwhile, and claims nothing.
  nodeFunction(
    'node_heartbeat',
    `
DECLARE own record;
BEGIN
  UPDATE porin.node
  SET heartbeat_at = now(),
    ailment = left(input->>'ailment', ${AILMENT_CHARACTERS}),
    state = CASE WHEN input->>'state' = 'READY' AND state <> 'READY'
        AND NOT (registration_verified AND coalesce(probed_at > started_at, false)) THEN 'DRAINING'
      ELSE input->>'state' END
  WHERE id = porin.calling_node()
  RETURNING state, CASE WHEN ${PROBE_IS_OPEN} THEN probe_number END AS probe INTO own;
  RETURN jsonb_build_object('state', own.state, 'probe', own.probe);
END`,
  ),
  // Once for each probe that the dispatcher asked for; what the node says of it, the dispatcher judges. problem: null where it
  // succeeded.
  nodeFunction(
    'node_end_probe',
    `
BEGIN
  UPDATE porin.node SET probe_answer = probe_number, probe_problem = left(input->>'problem', ${AILMENT_CHARACTERS})
  WHERE id = porin.calling_node() AND probe_number = (input->>'number')::integer AND ${PROBE_IS_OPEN};
  IF FOUND THEN PERFORM pg_notify('porin_outbox', ''); END IF;
  RETURN to_jsonb(FOUND);
END`,
  ),
  // What the last process of this node held is lost at once; how many attempts that were.
  nodeFunction(
    'node_lose_open',
    `
DECLARE lost integer;
BEGIN
  UPDATE porin.attempt SET state = 'LOST', ended_at = now(), error_code = 'lease-lost',
    error_message = 'The worker was started again.'
  WHERE node_id = porin.calling_node() AND ${ATTEMPT_IS_OPEN};
  GET DIAGNOSTICS lost = ROW_COUNT;
  RETURN to_jsonb(lost);
END`,
  ),
  // The jobs whose attempt here is to be stopped.
  nodeFunction(
    'node_canceled',
    `
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(job.id), '[]') FROM porin.attempt JOIN porin.job ON job.id = attempt.job_id
    WHERE attempt.node_id = porin.calling_node() AND attempt.state = 'OPEN' AND job.state = 'CANCELING');
END`,
  ),
];
