/** The dispatcher's verdict on every node, and the probes that it asks for: what is read, what `nodeVerdict` says, what is written. */
import { type Logger } from 'pino';
import { type EntityManager } from 'typeorm';
import { type NodeRecord, nodeVerdict, type NodeVerdict } from './node-verdict.js';

interface NodeRow extends Omit<NodeRecord, 'failures'> {
  readonly id: string;
  readonly name: string;
  readonly nowMs: number;
  /** None of them while a probe succeeded after the last. */
  readonly failures: NodeRecord['failures'] | null;
}

/** Failures that are older say nothing of the node as it is. */
const WINDOW = `interval '1 hour'`;
const ms = (time: string) => `extract(epoch FROM ${time})::float8 * 1000`;

/** In the order of the names. */
export async function judgeNodes(manager: EntityManager, logger: Logger): Promise<void> {
  const nodes: NodeRow[] = await manager.query(
    `SELECT id, name, ${ms('clock_timestamp()')} AS "nowMs",
       registration_verified AND state <> 'GONE' AND heartbeat_at > now() - interval '30 s' AS "isAlive",
       state = 'READY' AS "isReady", ${ms('started_at')} AS "startedAtMs", ailment, suspect_reason AS "suspectReason",
       ${ms('failed_at')} AS "failedAtMs", ${ms('probe_asked_at')} AS "askedAtMs", ${ms('probed_at')} AS "probedAtMs",
       ${ms('proved_at')} AS "provedAtMs", failed_probes AS "failedProbes",
       CASE WHEN probe_answer = probe_number THEN jsonb_build_object('problem', probe_problem) END AS answer,
       (SELECT jsonb_agg(jsonb_build_object('applicationId', failure.application_id, 'atMs', ${ms('failure.failed_at')},
           'isElsewhere', EXISTS (SELECT FROM node_failure AS other WHERE other.application_id = failure.application_id
             AND other.node_id <> failure.node_id AND other.failed_at > now() - ${WINDOW}),
           'isOutlived', EXISTS (SELECT FROM attempt WHERE attempt.node_id = failure.node_id
             AND attempt.started_at > failure.failed_at AND attempt.state = 'COMPLETE')))
         FROM node_failure AS failure WHERE failure.node_id = node.id
           AND failure.failed_at > greatest(now() - ${WINDOW}, node.proved_at)) AS failures
     FROM node WHERE role_name IS NOT NULL AND state <> 'GONE' ORDER BY name`,
  );
  let asks = false;
  for (const { failures, nowMs, ...node } of nodes) {
    const verdict = nodeVerdict({ ...node, failures: failures ?? [] }, nowMs);
    if (isNothing(node, verdict)) continue;
    tell(logger, node, verdict);
    await write(manager, node.id, verdict);
    asks ||= verdict.asksForProbe;
  }
  // Those that miss it learn it with their next heartbeat.
  if (asks) await manager.query(`SELECT pg_notify('porin_probe', '')`);
}

function isNothing({ suspectReason }: Pick<NodeRow, 'suspectReason'>, verdict: NodeVerdict): boolean {
  return verdict.suspectReason === suspectReason && verdict.probe === null && !verdict.asksForProbe;
}

function tell(logger: Logger, { name, suspectReason }: Pick<NodeRow, 'name' | 'suspectReason'>, to: NodeVerdict): void {
  if (to.suspectReason !== null && suspectReason === null) {
    logger.warn({ node: name, reason: to.suspectReason }, 'a node is suspect: it gets no jobs until a probe succeeds');
  }
  if (to.suspectReason === null && suspectReason !== null)
    logger.info({ node: name }, 'a probe succeeded: the node is well');
}

/** A probe that is asked for in the same transaction as another is judged comes after it. */
async function write(
  manager: EntityManager,
  id: string,
  { suspectReason, probe, asksForProbe }: NodeVerdict,
): Promise<void> {
  await manager.query(
    `UPDATE node SET suspect_reason = $2, suspect_since = CASE WHEN $2::text IS NOT NULL THEN coalesce(suspect_since, now()) END,
       probed_at = CASE WHEN $3::text IS NULL THEN probed_at ELSE clock_timestamp() END,
       proved_at = CASE WHEN $3 = 'succeeded' THEN probe_asked_at ELSE proved_at END,
       failed_probes = CASE $3 WHEN 'succeeded' THEN 0 WHEN 'failed' THEN failed_probes + 1 ELSE failed_probes END
     WHERE id = $1`,
    [id, suspectReason, probe],
  );
  if (!asksForProbe) return;
  await manager.query(
    `UPDATE node SET probe_number = probe_number + 1, probe_asked_at = clock_timestamp() WHERE id = $1`,
    [id],
  );
}
