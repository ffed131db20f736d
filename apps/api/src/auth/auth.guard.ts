/** Holds a request to the role that its route needs; who makes it, the gate has found out before its body was read. */
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Role } from '#lib/database';
import { PorinError } from '../errors/porin-error.js';
import { type AnyCaller, atLeast, type AuthenticatedRequest, NEEDED_ROLE, OPERATORS, PUBLIC } from './caller.js';

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) return true;
    const { caller } = context.switchToHttp().getRequest<Partial<AuthenticatedRequest>>();
    // A request that has not come through the gate is nobody's.
    if (!caller) throw new PorinError('authentication-required', 'Send an API key: "Authorization: Bearer porin_...".');
    const objection = objectionTo(caller, {
      operators: this.reflector.getAllAndOverride<'only' | 'too' | undefined>(OPERATORS, targets),
      needed: this.reflector.getAllAndOverride<Role | undefined>(NEEDED_ROLE, targets) ?? 'submitter',
    });
    if (objection !== null) throw new PorinError('role-required', objection);
    return true;
  }
}

interface Demand {
  /** Whether operators may call it, or nobody else. */
  readonly operators: 'only' | 'too' | undefined;
  /** Of a tenant's key, at least. */
  readonly needed: Role;
}

function objectionTo({ role }: AnyCaller, { operators, needed }: Demand): string | null {
  if (role === 'operator') {
    return operators ? null : 'This belongs to a tenant, and an operator to none: use a key of that tenant.';
  }
  if (operators === 'only') return `This needs a key of role operator; yours is ${role}.`;
  return atLeast(role, needed) ? null : `This needs a key of role ${needed}; yours is ${role}.`;
}
