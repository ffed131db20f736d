/** Messages that Redis may have lost. */
import { type EntityManager } from 'typeorm';
import { ON_ITS_WAY } from './in-flight.js';
import { type Dispatch } from './place-jobs.js';

/** Dispatched some time ago, claimed by nobody. Adding a message twice is harmless. */
export async function possiblyLost(manager: EntityManager, olderThanS: number): Promise<Dispatch[]> {
  return manager.query(
    `SELECT job.id AS "jobId", job.fence AS attempt, job.placed_node_id AS "nodeId"
     FROM job WHERE ${ON_ITS_WAY} AND job.placed_at < now() - make_interval(secs => $1)
     ORDER BY job.placed_at, job.id LIMIT 1000`,
    [olderThanS],
  );
}
