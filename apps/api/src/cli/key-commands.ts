/** `porin-admin key create|list|revoke`: the keys that callers of the API show. */
import { ApiKey, type Role } from '#lib/database';
import { generateApiKey, hashApiKey } from '../auth/api-key.js';
import { type Command, oneOf, TENANT_OPTION, UsageError, withDatabase } from './command.js';

const ROLES: readonly Role[] = ['submitter', 'reviewer', 'admin'];
const MS_PER_DAY = 86_400_000;

export const KEY_COMMANDS: readonly Command[] = [
  {
    words: 'key create',
    options: {
      role: { type: 'string' },
      name: { type: 'string' },
      days: { type: 'string', default: '365' },
      ...TENANT_OPTION,
    },
    help: [
      'make an API key and print it, once',
      `--role <role>      ${ROLES.join(', ')}`,
      '--name <text>      what it is for              (default: the role)',
      '--tenant <name>    whose jobs it sees          (default: default)',
      '--days <number>    until it expires            (default: 365)',
    ],
    async run({ text }) {
      const role = oneOf('role', ROLES, text('role') ?? '') as Role;
      const days = Number(text('days'));
      if (!Number.isInteger(days) || days < 1 || days > 36_500)
        throw new UsageError('--days must be a whole number from 1 to 36500');
      const key = generateApiKey();
      await withDatabase((manager) =>
        manager.insert(ApiKey, {
          tenant: text('tenant') ?? '',
          name: text('name') ?? role,
          role,
          sha256: hashApiKey(key),
          expiresAt: new Date(Date.now() + days * MS_PER_DAY),
        }),
      );
      console.log(key);
    },
  },
  {
    words: 'key list',
    help: ['all API keys, without the keys themselves'],
    async run() {
      const keys = await withDatabase((manager) => manager.find(ApiKey, { order: { createdAt: 'ASC' } }));
      for (const key of keys) {
        const state = key.revokedAt ? 'revoked' : key.expiresAt.getTime() < Date.now() ? 'expired' : 'valid';
        console.log([key.id, key.tenant, key.role, state, key.expiresAt.toISOString(), key.name].join('\t'));
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
