/** This node's row, what an earlier process of the same node left open, and which images its attempts have used. */
import { type NodeRow } from '#lib/database';
import { ATTEMPT_IS_OPEN } from '#lib/jobs';
import { type DataSource } from 'typeorm';

type NewNode = Omit<NodeRow, 'id' | 'state' | 'startedAt' | 'heartbeatAt'>;

/** Names the session lock of a node: two workers must not run as the same one. */
export const NODE_LOCK_CLASS = 7_060_120;

export class NodeStore {
  constructor(private readonly dataSource: DataSource) {}

  /** The node's id; the row is new or the one that this name had before. It is not READY yet. */
  async register(node: NewNode): Promise<string> {
    const rows: { id: string }[] = await this.dataSource.query(
      `INSERT INTO node (name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts)
       VALUES ($1, $2, 'DRAINING', $3, $4, $5, $6, $7, $8)
       ON CONFLICT (name) DO UPDATE SET (architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts,
         started_at, heartbeat_at) = ROW (excluded.architecture, excluded.state, excluded.slots, excluded.cpu_milli,
         excluded.memory_bytes, excluded.disk_bytes, excluded.offered_monitorings, excluded.facts, now(), now())
       RETURNING id`,
      [
        ...[node.name, node.architecture, node.slots, node.cpuMilli, node.memoryBytes, node.diskBytes],
        ...[node.offeredMonitorings, node.facts],
      ],
    );
    return rows[0]?.id ?? '';
  }

  /** What the last process of this node held is lost at once: the session lock says that it is gone. */
  async loseOpenAttempts(nodeId: string): Promise<number> {
    const [, lost] = await this.dataSource.query<[unknown[], number]>(
      `UPDATE attempt SET state = 'LOST', ended_at = now(), error_code = 'lease-lost',
         error_message = 'The worker was started again.'
       WHERE node_id = $1 AND ${ATTEMPT_IS_OPEN}`,
      [nodeId],
    );
    return lost;
  }

  /** Of these repository digests those that attempts on this node have used, the last used first. */
  async byLastUse(nodeId: string, repositoryDigests: readonly string[]): Promise<readonly string[]> {
    const rows: { digest: string }[] = await this.dataSource.query(
      `SELECT repository_digest AS digest
       FROM build JOIN executor ON executor.build_id = build.id JOIN attempt ON attempt.job_id = executor.job_id
       WHERE node_id = $1 AND repository_digest = ANY($2)
       GROUP BY repository_digest ORDER BY max(attempt.started_at) DESC, repository_digest`,
      [nodeId, repositoryDigests],
    );
    return rows.map(({ digest }) => digest);
  }

  /** Whether an attempt that is open here runs one of them, or may yet: its executor names the repository and is not resolved. */
  async usesAny(nodeId: string, repositoryDigests: readonly string[]): Promise<boolean> {
    const rows: unknown[] = await this.dataSource.query(
      `SELECT FROM attempt JOIN executor USING (job_id) LEFT JOIN build ON build.id = build_id, unnest($2::text[]) AS digest
       WHERE node_id = $1 AND ${ATTEMPT_IS_OPEN} AND CASE WHEN build.id IS NULL
         THEN position(split_part(digest, '@', 1) IN executor.image) > 0 ELSE repository_digest = digest END
       LIMIT 1`,
      [nodeId, repositoryDigests],
    );
    return rows.length > 0;
  }

  async databaseTimeMs(): Promise<number> {
    const rows: { ms: number }[] = await this.dataSource.query(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    );
    return rows[0]?.ms ?? Number.NaN;
  }

  async heartbeat(nodeId: string, state: 'READY' | 'DRAINING' | 'GONE'): Promise<void> {
    await this.dataSource.query(`UPDATE node SET state = $2, heartbeat_at = now() WHERE id = $1`, [nodeId, state]);
  }

  async describe(nodeId: string, node: Pick<NewNode, 'offeredMonitorings' | 'facts'>): Promise<void> {
    await this.dataSource.query(`UPDATE node SET offered_monitorings = $2, facts = $3 WHERE id = $1`, [
      nodeId,
      node.offeredMonitorings,
      node.facts,
    ]);
  }
}
