/** Who makes a request, and the decorators that say what a route demands. */
import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { type Role } from '#lib/database';
import { type FastifyRequest } from 'fastify';

/** Somebody of a tenant. Actions belong to the principal; the key only let it in. */
export interface Caller {
  readonly principalId: string;
  readonly keyId: string;
  readonly tenant: string;
  readonly role: Role;
}

/** Who runs the grid: of no tenant, and without a view of any tenant's jobs and profiles. */
export interface OperatorCaller {
  readonly principalId: string;
  readonly keyId: string;
  readonly tenant: null;
  readonly role: 'operator';
}
export type AnyCaller = Caller | OperatorCaller;

export type AuthenticatedRequest = FastifyRequest & { caller: AnyCaller };

const RANK: Readonly<Record<Role, number>> = { submitter: 0, reviewer: 1, admin: 2 };

export function atLeast(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

export const NEEDED_ROLE = 'porin:needed-role';
/** In the OpenAPI document. */
export const ROLE_EXTENSION = 'x-porin-role';
/** The least role that may call the route; without it, every valid key of a tenant may. */
export const NeedsRole = (role: Role) =>
  applyDecorators(SetMetadata(NEEDED_ROLE, role), ApiExtension(ROLE_EXTENSION, role));

export const OPERATORS = 'porin:operators';
/** In the OpenAPI document, where operators may call a route: `only`, or `too`. */
export const OPERATORS_EXTENSION = 'x-porin-operators';
const operators = (may: 'only' | 'too') =>
  applyDecorators(SetMetadata(OPERATORS, may), ApiExtension(OPERATORS_EXTENSION, may));
/** A route of those who run the grid: no key of a tenant may call it. */
export const OperatorsOnly = () => operators('only');
/** A route of tenants that operators may call as well. */
export const OperatorsToo = () => operators('too');

export const PUBLIC = 'porin:public';
/** A route that needs no key. */
export const Public = () => SetMetadata(PUBLIC, true);

export const ACTS_BY_KEPT_FACTS = 'porin:acts-by-kept-facts';
/** A route that acts by `Authenticator.asCaller`, so that its caller need not be looked up at the gate. */
export const ActsByKeptFacts = () => SetMetadata(ACTS_BY_KEPT_FACTS, true);

/** An AnyCaller on routes for operators, elsewhere a Caller: the guard lets nobody else through. */
export const CurrentCaller = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().caller,
);
