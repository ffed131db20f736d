/** Who makes a request, and the decorators that say what a route demands. */
import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { type Role } from '#lib/database';
import { type Request } from 'express';

export interface Caller {
  readonly keyId: string;
  readonly tenant: string;
  readonly role: Role;
}

export type AuthenticatedRequest = Request & { caller: Caller };

const RANK: Readonly<Record<Role, number>> = { submitter: 0, reviewer: 1, admin: 2 };

export function atLeast(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}

export const NEEDED_ROLE = 'porin:needed-role';
/** In the OpenAPI document. */
export const ROLE_EXTENSION = 'x-porin-role';
/** The least role that may call the route; without it, every valid key may. */
export const NeedsRole = (role: Role) =>
  applyDecorators(SetMetadata(NEEDED_ROLE, role), ApiExtension(ROLE_EXTENSION, role));

export const PUBLIC = 'porin:public';
/** A route that needs no key. */
export const Public = () => SetMetadata(PUBLIC, true);

export const CurrentCaller = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().caller,
);
