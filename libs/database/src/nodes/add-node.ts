/** Makes a node somebody: its role, its row and its keys; or gives one that is there new ones. As the owner of the schema. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import {
  generateCredentials,
  newRoleName,
  type NodeCredentials,
  nodeNameProblem,
  type NodePublicPart,
} from './node-credentials.js';
import { closeRoleIfThere, dropRole, endSessions } from './node-sessions.js';

/** The most that a node may claim at once; undefined: as much as it says. */
export interface NodeBounds {
  readonly slots?: number | undefined;
  readonly cpuMilli?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly diskBytes?: number | undefined;
}

export class NodeError extends Error {
  override readonly name = 'NodeError';
}

/** The data source's pool of two and the session. */
const CONNECTIONS = 3;

/**
 * A node of that name without a role, from a database of an earlier Porin or removed, gets one and keeps its history.
 * @throws NodeError for a bad name, or one that has a role
 */
export async function addNode(
  owner: pg.ClientBase,
  node: { name: string; architecture: string; bounds: NodeBounds },
  actor: string,
): Promise<NodeCredentials> {
  const problem = nodeNameProblem(node.name);
  if (problem !== null) throw new NodeError(problem);
  return inTransaction(owner, async () => {
    const known = await findNode(owner, node.name);
    if (known?.roleName) {
      throw new NodeError(`there is a node ${node.name}: "node rekey ${node.name}" gives it new credentials`);
    }
    const { name } = node;
    const { secret, open } = generateCredentials({ id: known?.id ?? randomUUID(), name, roleName: newRoleName(name) });
    await makeRole(owner, secret.roleName, open);
    await writeRow(owner, { ...node, id: secret.id }, secret.roleName, open);
    await audit(owner, 'node.add', node.name, actor, { roleName: secret.roleName, bounds: node.bounds });
    return secret;
  });
}

/**
 * A new role, a new key and a new password for Redis, which end what the old ones opened: a role keeps settings that whoever had
 * its password gave it, so it is not used again.
 * @throws NodeError when there is no such node
 */
export async function rekeyNode(owner: pg.ClientBase, name: string, actor: string): Promise<NodeCredentials> {
  const { secret, before } = await inTransaction(owner, async () => {
    const known = await findNode(owner, name);
    if (!known?.roleName) throw new NodeError(`there is no node ${name} with credentials: "node add" gives it some`);
    const { secret, open } = generateCredentials({ id: known.id, name, roleName: newRoleName(name) });
    await makeRole(owner, secret.roleName, open);
    await owner.query(
      `UPDATE porin.node SET role_name = $2, public_key = $3, redis_password_sha256 = $4, registration_verified = false,
         registration = NULL, sealing_key = NULL, state = 'GONE' WHERE name = $1`,
      [name, secret.roleName, open.publicKey, open.redisPasswordSha256],
    );
    await closeRoleIfThere(owner, known.roleName);
    await audit(owner, 'node.rekey', name, actor, { roleName: secret.roleName, before: known.roleName });
    return { secret, before: known.roleName };
  });
  await endSessions(owner, before);
  await dropRole(owner, before);
  return secret;
}

export async function findNode(
  owner: pg.ClientBase,
  name: string,
): Promise<{ id: string; roleName: string | null } | undefined> {
  const { rows } = await owner.query<{ id: string; roleName: string | null }>(
    `SELECT id, role_name AS "roleName" FROM porin.node WHERE name = $1 FOR UPDATE`,
    [name],
  );
  return rows[0];
}

/** Nodes belong to no tenant. */
export async function audit(
  owner: pg.ClientBase,
  action: string,
  name: string,
  actor: string,
  detail: object,
): Promise<void> {
  await owner.query(
    `INSERT INTO porin.audit (tenant, actor, action, subject_type, subject_id, detail) VALUES ('', $1, $2, 'node', $3, $4)`,
    [actor, action, name, JSON.stringify(detail)],
  );
}

export async function inTransaction<T>(owner: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await owner.query('BEGIN');
  try {
    const result = await work();
    await owner.query('COMMIT');
    return result;
  } catch (error) {
    await owner.query('ROLLBACK');
    throw error;
  }
}

/** porin_functions is made a member, so that the functions see which sessions the role has. */
async function makeRole(owner: pg.ClientBase, roleName: string, { passwordVerifier }: NodePublicPart): Promise<void> {
  const role = pg.escapeIdentifier(roleName);
  await owner.query(`CREATE ROLE ${role} LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION
    CONNECTION LIMIT ${CONNECTIONS} PASSWORD ${pg.escapeLiteral(passwordVerifier)}`);
  await owner.query(`GRANT porin_node TO ${role}`);
  await owner.query(`GRANT ${role} TO porin_functions`);
  await owner.query(`ALTER ROLE ${role} SET statement_timeout = '30s'`);
  await owner.query(`ALTER ROLE ${role} SET idle_in_transaction_session_timeout = '30s'`);
  await owner.query(`ALTER ROLE ${role} SET lock_timeout = '20s'`);
}

async function writeRow(
  owner: pg.ClientBase,
  { id, name, architecture, bounds }: { id: string; name: string; architecture: string; bounds: NodeBounds },
  roleName: string,
  { publicKey, redisPasswordSha256 }: NodePublicPart,
): Promise<void> {
  await owner.query(
    `INSERT INTO porin.node (id, name, architecture, state, slots, cpu_milli, memory_bytes, disk_bytes, offered_monitorings, facts,
       role_name, public_key, redis_password_sha256, maximum_slots, maximum_cpu_milli, maximum_memory_bytes, maximum_disk_bytes,
       heartbeat_at)
     SELECT id, name, architecture, 'GONE', coalesce(slots, 1), coalesce("cpuMilli", 0), coalesce("memoryBytes", 0),
       coalesce("diskBytes", 0), '{}', '{}', "roleName", "publicKey", "redisPasswordSha256", slots, "cpuMilli", "memoryBytes",
       "diskBytes", to_timestamp(0)
     FROM jsonb_to_record($1) AS given(id uuid, name text, architecture text, "roleName" text, "publicKey" text,
       "redisPasswordSha256" text, slots integer, "cpuMilli" integer, "memoryBytes" bigint, "diskBytes" bigint)
     ON CONFLICT (name) DO UPDATE SET (architecture, role_name, public_key, redis_password_sha256, maximum_slots,
       maximum_cpu_milli, maximum_memory_bytes, maximum_disk_bytes, registration, registration_verified, sealing_key) =
       ROW (excluded.architecture, excluded.role_name, excluded.public_key, excluded.redis_password_sha256,
         excluded.maximum_slots, excluded.maximum_cpu_milli, excluded.maximum_memory_bytes, excluded.maximum_disk_bytes,
         NULL, false, NULL)`,
    [JSON.stringify({ id, name, architecture, roleName, publicKey, redisPasswordSha256, ...bounds })],
  );
}
