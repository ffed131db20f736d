/** Lets a request in when its API key is known, unexpired, unrevoked and of a sufficient role. */
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiKey, type Role } from '#lib/database';
import { DataSource } from 'typeorm';
import { PorinError } from '../errors/porin-error.js';
import { bearerKey, hashApiKey } from './api-key.js';
import { atLeast, type AuthenticatedRequest, NEEDED_ROLE, PUBLIC } from './caller.js';

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly dataSource: DataSource,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const row = await this.findKey(request.headers.authorization);
    const needed = this.reflector.getAllAndOverride<Role | undefined>(NEEDED_ROLE, targets) ?? 'submitter';
    if (!atLeast(row.role, needed)) {
      throw new PorinError('role-required', `This needs a key of role ${needed}; yours is ${row.role}.`);
    }
    request.caller = { keyId: row.id, tenant: row.tenant, role: row.role };
    return true;
  }

  private async findKey(header: string | undefined): Promise<ApiKey> {
    if (header === undefined) {
      throw new PorinError('authentication-required', 'Send an API key: "Authorization: Bearer porin_...".');
    }
    const key = bearerKey(header);
    const row = key === undefined ? null : await this.dataSource.manager.findOneBy(ApiKey, { sha256: hashApiKey(key) });
    // One answer for unknown, expired and revoked: a caller without a valid key learns nothing about others.
    if (!row || row.revokedAt !== null || row.expiresAt.getTime() <= Date.now()) {
      throw new PorinError('api-key-invalid', 'This API key is unknown, expired or revoked.');
    }
    await this.dataSource.query(
      `UPDATE api_key SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [row.id],
    );
    return row;
  }
}
