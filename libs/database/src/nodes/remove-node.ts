/** Ends a node: nobody can be it any more. What it did stays. As the owner of the schema. */
import pg from 'pg';
import { audit, endSessions, findNode, inTransaction, NodeError } from './add-node.js';

/** Its open attempts are lost at the end of their leases. @throws NodeError when there is no such node with credentials */
export async function removeNode(owner: pg.ClientBase, name: string, actor: string): Promise<void> {
  const roleName = await inTransaction(owner, async () => {
    const known = await findNode(owner, name);
    if (!known?.roleName) throw new NodeError(`there is no node ${name} with credentials`);
    await owner.query(
      `UPDATE porin.node SET role_name = NULL, public_key = NULL, redis_password_sha256 = NULL, registration = NULL,
         registration_verified = false, state = 'GONE' WHERE name = $1`,
      [name],
    );
    const { rowCount } = await owner.query('SELECT FROM pg_roles WHERE rolname = $1', [known.roleName]);
    if (rowCount === 1) await owner.query(`ALTER ROLE ${pg.escapeIdentifier(known.roleName)} NOLOGIN PASSWORD NULL`);
    await audit(owner, 'node.remove', name, actor, { roleName: known.roleName });
    return known.roleName;
  });
  await endSessions(owner, roleName);
  await dropRole(owner, roleName);
}

/** Without a login it stays where another database still knows the role, such as a copy of this one. */
async function dropRole(owner: pg.ClientBase, roleName: string): Promise<void> {
  await owner.query(`DO $$ BEGIN
    EXECUTE ${pg.escapeLiteral(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(roleName)}`)};
  EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
  END $$`);
}
