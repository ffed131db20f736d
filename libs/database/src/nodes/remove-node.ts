/** Ends a node: nobody can be it any more. What it did stays. As the owner of the schema. */
import type pg from 'pg';
import { audit, findNode, inTransaction, NodeError } from './add-node.js';
import { closeRoleIfThere, dropRole, endSessions } from './node-sessions.js';

/** Its open attempts are lost at the end of their leases. @throws NodeError when there is no such node with credentials */
export async function removeNode(owner: pg.ClientBase, name: string, actor: string): Promise<void> {
  const roleName = await inTransaction(owner, async () => {
    const known = await findNode(owner, name);
    if (!known?.roleName) throw new NodeError(`there is no node ${name} with credentials`);
    await owner.query(
      `UPDATE porin.node SET role_name = NULL, public_key = NULL, redis_password_sha256 = NULL, registration = NULL,
         registration_verified = false, sealing_key = NULL, state = 'GONE' WHERE name = $1`,
      [name],
    );
    await closeRoleIfThere(owner, known.roleName);
    await audit(owner, 'node.remove', name, actor, { roleName: known.roleName });
    return known.roleName;
  });
  await endSessions(owner, roleName);
  await dropRole(owner, roleName);
}
