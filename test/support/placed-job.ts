/** A job as the dispatcher leaves it: placed on a node, for that node to claim. */
import { nodeArchitecture } from '#lib/profiles';
import type pg from 'pg';

export interface PlacedJobOptions {
  readonly tenant: string;
  readonly nodeId: string;
  readonly applicationId: string;
  readonly image: string;
  readonly cpuMilli?: number;
  readonly diskBytes?: number;
  readonly outputs?: readonly object[];
}

const ARCHITECTURE = nodeArchitecture(process.arch);

/** Resolves to its id. It asks for one byte of memory, and of disk unless it is said. */
export async function placedJob(owner: pg.Client, options: PlacedJobOptions): Promise<string> {
  const { tenant, nodeId, applicationId, image, cpuMilli = 1000, diskBytes = 1, outputs = [] } = options;
  const { rows } = await owner.query<{ id: string }>(
    `WITH made AS (
       INSERT INTO job (tenant, submitted_by, submitted_role, request_digest, name, architecture, cpu_milli, memory_bytes,
         disk_bytes, wall_time_s, inputs, outputs, dispatched_fence, placed_node_id, placed_at)
       VALUES ($1, gen_random_uuid(), 'submitter', 'd', 'n', $2, $3, 1, $7, 1, '["secret"]', $8, 1, $4, now())
       RETURNING id
     )
     INSERT INTO executor (job_id, position, application_id, image, command) SELECT id, 0, $5, $6, '{c}' FROM made
     RETURNING job_id AS id`,
    [tenant, ARCHITECTURE, cpuMilli, nodeId, applicationId, image, diskBytes, JSON.stringify(outputs)],
  );
  return rows[0]?.id ?? '';
}

export async function insertApplication(
  owner: pg.Client,
  { tenant, name, image }: { tenant: string; name: string; image: string },
): Promise<string> {
  const { rows } = await owner.query<{ id: string }>(
    `INSERT INTO application (tenant, name, image) VALUES ($1, $2, $3) RETURNING id`,
    [tenant, name, image],
  );
  return rows[0]?.id ?? '';
}
