/** Writes down why jobs wait, lane by lane, and ends those that no node could ever run. */
import { JobError } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { explain, type KnownNode, lackingWords, type View } from './explain.js';
import { IS_SUSPECT, TAKES_JOBS } from './in-flight.js';
import { type QueuedJob } from './lanes.js';
import { type Lane } from './schedule.js';
import { lackingEverywhere, type Share } from './share.js';

export interface Waiting extends Omit<View, 'nodes' | 'isBehindOthers'> {
  readonly lanes: readonly Lane<QueuedJob>[];
  /** Less goes first. */
  readonly standingOf: (tenant: string) => number;
}

/** The lane's text is what API answers are made of. */
export async function tellWaiting(manager: EntityManager, { lanes, standingOf, ...view }: Waiting): Promise<void> {
  const waiting = lanes.filter(({ candidates }) => candidates.length > 0);
  if (waiting.length === 0) return;
  const nodes = await knownNodes(manager);
  const least = Math.min(...waiting.map(({ tenant }) => standingOf(tenant)));
  const texts = waiting.flatMap(({ id, tenant, candidates: [first] }) => {
    const isBehindOthers = standingOf(tenant) > least;
    return first ? [{ id, text: explain(first, { ...view, nodes, isBehindOthers }) }] : [];
  });
  await manager.query(
    `UPDATE lane SET explanation = told.text FROM jsonb_to_recordset($1) AS told(id bigint, text text)
     WHERE lane.id = told.id AND lane.explanation IS DISTINCT FROM told.text`,
    [JSON.stringify(texts)],
  );
  await endTooLarge(manager, waiting, nodes);
}

async function knownNodes(manager: EntityManager): Promise<KnownNode[]> {
  return manager.query(
    `SELECT id, name, architecture, cpu_milli AS "cpuMilli", memory_bytes::float8 AS "memoryBytes", disk_bytes::float8 AS "diskBytes",
       offered_monitorings AS "offeredMonitorings", sealing_key IS NOT NULL AS "opensSecrets", CASE WHEN state <> 'READY' THEN state WHEN NOT (${TAKES_JOBS}) THEN 'GONE' WHEN ${IS_SUSPECT} THEN 'SUSPECT' ELSE state END AS state,
       extract(epoch FROM now() - heartbeat_at)::float8 * 1000 AS "silentForMs"
     FROM node WHERE heartbeat_at > now() - interval '1 day' ORDER BY name`,
  );
}

const RESOURCE_WORDS: Readonly<Record<keyof Share, string>> = {
  cpuMilli: 'CPU (cpuMilli)',
  memoryBytes: 'memory (memoryBytes)',
  diskBytes: 'disk (diskBytes)',
};

/**
 * Ends the jobs that no node has room for when it is idle, those included that are away for less than a day. While no node of
 * the architecture takes jobs, its jobs wait. One whose payload has ended asks for nothing any more: see `endOverduePublications`.
 */
async function endTooLarge(
  manager: EntityManager,
  lanes: readonly Lane<QueuedJob>[],
  nodes: readonly KnownNode[],
): Promise<void> {
  const ended = lanes
    .flatMap(({ candidates }) => candidates)
    .flatMap((job) => {
      const known = nodes.filter(({ architecture }) => architecture === job.architecture);
      if (!known.some(({ state }) => state === 'READY')) return [];
      const lacking = lackingEverywhere(job, known);
      if (!lacking) return [];
      const { code, message, entry } = JobError.of('resources-unavailable', {
        resource: RESOURCE_WORDS[lacking],
        detail: lackingWords(job, known, lacking),
      });
      return [{ id: job.jobId, fence: job.fence, state: entry.finalState, code, message }];
    });
  if (ended.length === 0) return;
  await manager.query(
    `UPDATE job SET state = ended.state, ended_at = now(), error_code = ended.code, error_message = ended.message
     FROM jsonb_to_recordset($1) AS ended(id uuid, fence int, state text, code text, message text)
     WHERE job.id = ended.id AND job.fence = ended.fence AND job.state = 'QUEUED'`,
    [JSON.stringify(ended)],
  );
}
