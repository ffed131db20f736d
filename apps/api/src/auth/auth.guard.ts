/** Holds a request to the role that its route needs; who makes it, the gate has found out before its body was read. */
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Role } from '#lib/database';
import { PorinError } from '../errors/porin-error.js';
import { atLeast, type AuthenticatedRequest, NEEDED_ROLE, PUBLIC } from './caller.js';

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) return true;
    const { caller } = context.switchToHttp().getRequest<Partial<AuthenticatedRequest>>();
    // A request that has not come through the gate is nobody's.
    if (!caller) throw new PorinError('authentication-required', 'Send an API key: "Authorization: Bearer porin_...".');
    const needed = this.reflector.getAllAndOverride<Role | undefined>(NEEDED_ROLE, targets) ?? 'submitter';
    if (!atLeast(caller.role, needed)) {
      throw new PorinError('role-required', `This needs a key of role ${needed}; yours is ${caller.role}.`);
    }
    return true;
  }
}
