/** Persons and services that act: made by name, within a tenant or among the operators. */
import { Principal, type PrincipalKind } from '#lib/database';
import { type EntityManager, IsNull } from 'typeorm';

export interface PrincipalName {
  /** Null: who runs the grid. */
  readonly tenant: string | null;
  readonly name: string;
}

/** Undefined where the name is taken. */
export async function addPrincipal(
  manager: EntityManager,
  principal: PrincipalName & { readonly kind: PrincipalKind },
): Promise<Principal | undefined> {
  const inserted = await manager
    .createQueryBuilder()
    .insert()
    .into(Principal)
    .values(principal)
    .orIgnore()
    .returning('id')
    .execute();
  return (inserted.raw as unknown[]).length === 0 ? undefined : findPrincipal(manager, principal);
}

/** The one of that name; a service is made where there is none. */
export async function takePrincipal(manager: EntityManager, principal: PrincipalName): Promise<Principal> {
  await addPrincipal(manager, { ...principal, kind: 'service' });
  const found = await findPrincipal(manager, principal);
  if (!found) throw new Error(`the principal ${principal.name} was not made`);
  return found;
}

export async function findPrincipal(manager: EntityManager, { tenant, name }: PrincipalName) {
  const found = await manager.findOneBy(Principal, { tenant: tenant ?? IsNull(), name });
  return found ?? undefined;
}
