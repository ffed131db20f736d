/** `porin-admin key create|list|revoke`: the keys that callers of the API show. */
import { ApiKey, type KeyRole } from '#lib/database';
import { generateApiKey, hashApiKey } from '../auth/api-key.js';
import { takePrincipal } from '../principals/principals.js';
import { type Command, oneOf, TENANT_OPTION, UsageError, withDatabase } from './command.js';

const ROLES: readonly KeyRole[] = ['submitter', 'reviewer', 'admin', 'operator'];
const MS_PER_DAY = 86_400_000;

interface ListedKey extends Pick<ApiKey, 'id' | 'role' | 'name' | 'expiresAt'> {
  readonly tenant: string | null;
  readonly principal: string;
  readonly state: string;
}
const LIST = `SELECT key.id, tenant, role, key.name, principal.name AS principal, expires_at AS "expiresAt",
    CASE WHEN disabled_at IS NOT NULL THEN 'disabled' WHEN revoked_at IS NOT NULL THEN 'revoked'
      WHEN expires_at < now() THEN 'expired' ELSE 'valid' END AS state
  FROM api_key AS key JOIN principal ON principal.id = key.principal_id ORDER BY key.created_at`;

export const KEY_COMMANDS: readonly Command[] = [
  {
    words: 'key create',
    options: {
      role: { type: 'string' },
      principal: { type: 'string' },
      name: { type: 'string' },
      days: { type: 'string', default: '365' },
      ...TENANT_OPTION,
    },
    help: [
      'make an API key and print it, once',
      `--role <role>      ${ROLES.join(', ')}`,
      '--principal <name> whose it is; a service of that name is made where there is none',
      '                                               (default: the name of the key)',
      '--name <text>      what it is for              (default: the principal, else the role)',
      '--tenant <name>    whose jobs it sees          (default: default); none for an operator',
      '--days <number>    until it expires            (default: 365)',
    ],
    async run({ text }) {
      const role = oneOf('role', ROLES, text('role') ?? '') as KeyRole;
      const days = Number(text('days'));
      if (!Number.isInteger(days) || days < 1 || days > 36_500)
        throw new UsageError('--days must be a whole number from 1 to 36500');
      const key = generateApiKey();
      const principalName = text('principal') ?? text('name') ?? role;
      if (principalName === '') throw new UsageError('the name of a principal is not empty');
      const tenant = role === 'operator' ? null : (text('tenant') ?? '');
      await withDatabase(async (manager) => {
        const principal = await takePrincipal(manager, { tenant, name: principalName });
        if (principal.disabledAt) throw new UsageError(`the principal ${principalName} is disabled`);
        await manager.insert(ApiKey, {
          principalId: principal.id,
          name: text('name') ?? principalName,
          role,
          sha256: hashApiKey(key),
          expiresAt: new Date(Date.now() + days * MS_PER_DAY),
        });
      });
      console.log(key);
    },
  },
  {
    words: 'key list',
    help: ['all API keys, without the keys themselves'],
    async run() {
      const keys = await withDatabase((manager) => manager.query<ListedKey[]>(LIST));
      for (const { id, tenant, role, state, expiresAt, principal, name } of keys) {
        console.log([id, tenant ?? 'operator', role, state, expiresAt.toISOString(), principal, name].join('\t'));
      }
    },
  },
  {
    words: 'key revoke',
    operands: ['id'],
    help: ['make an API key useless at once; "key list" prints the ids'],
    async run({ operands: [id = ''] }) {
      const result = await withDatabase((manager) => manager.update(ApiKey, { id }, { revokedAt: new Date() }));
      if (result.affected === 0) throw new UsageError(`there is no key ${id}`);
    },
  },
];
