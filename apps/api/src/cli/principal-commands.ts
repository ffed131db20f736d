/** `porin-admin principal add|list|disable`: the persons and services that keys belong to. */
import { Principal, PRINCIPAL_KINDS } from '#lib/database';
import { WEIGHT_MAXIMUM } from '#lib/store';
import { IsNull } from 'typeorm';
import { addPrincipal } from '../principals/principals.js';
import { type Command, oneOf, TENANT_OPTION, UsageError, withDatabase } from './command.js';

const WHOSE_HELP = ['--tenant <name>    (default: default)', '--operator         of no tenant: who runs the grid'];

export const PRINCIPAL_COMMANDS: readonly Command[] = [
  {
    words: 'principal add',
    operands: ['name'],
    options: { kind: { type: 'string', default: 'person' }, operator: { type: 'boolean' }, ...TENANT_OPTION },
    help: [
      'name somebody who acts; "key create --principal" makes keys for them',
      `--kind <kind>      ${PRINCIPAL_KINDS.join(' or ')}   (default: person)`,
      ...WHOSE_HELP,
    ],
    async run({ operands: [name = ''], text, flag }) {
      const kind = oneOf('kind', PRINCIPAL_KINDS, text('kind')) ?? 'person';
      if (name.trim() === '') throw new UsageError('the name of a principal is not empty');
      const tenant = flag('operator') ? null : (text('tenant') ?? '');
      const made = await withDatabase((manager) => addPrincipal(manager, { tenant, name, kind }));
      if (!made) throw new UsageError(`there is a principal ${name} already`);
      console.log(made.id);
    },
  },
  {
    words: 'principal list',
    help: ['all principals, with the tenant and the number of valid keys of each'],
    async run() {
      const rows = await withDatabase((manager) =>
        manager.query<{ id: string; tenant: string | null; kind: string; name: string; keys: number; state: string }[]>(
          `SELECT principal.id, tenant, kind, principal.name, count(api_key.id)::int AS keys,
             CASE WHEN disabled_at IS NULL THEN 'enabled' ELSE 'disabled' END AS state
           FROM principal LEFT JOIN api_key ON principal_id = principal.id AND revoked_at IS NULL AND expires_at > now()
           GROUP BY principal.id ORDER BY tenant NULLS FIRST, principal.name`,
        ),
      );
      for (const { id, tenant, kind, name, keys, state } of rows) {
        console.log([id, tenant ?? 'operator', kind, state, `${keys} key(s)`, name].join('\t'));
      }
    },
  },
  {
    words: 'principal set',
    operands: ['id'],
    options: { weight: { type: 'string' } },
    help: [
      "change how much of its tenant's share somebody gets",
      `--weight <number>  against other submitters of the tenant, 1 to ${WEIGHT_MAXIMUM}   (1 at first)`,
    ],
    async run({ operands: [id = ''], text }) {
      const weight = Number(text('weight'));
      if (!Number.isInteger(weight) || weight < 1 || weight > WEIGHT_MAXIMUM) {
        throw new UsageError(`--weight takes a whole number from 1 to ${WEIGHT_MAXIMUM}`);
      }
      const { affected } = await withDatabase((manager) => manager.update(Principal, { id }, { weight }));
      if (affected === 0) throw new UsageError(`there is no principal ${id}`);
    },
  },
  {
    words: 'principal disable',
    operands: ['id'],
    help: ['let none of its keys in any more, at once; what it did stays'],
    async run({ operands: [id = ''] }) {
      const { affected } = await withDatabase((manager) =>
        manager.update(Principal, { id, disabledAt: IsNull() }, { disabledAt: new Date() }),
      );
      if (affected === 0) throw new UsageError(`there is no principal ${id} that is enabled`);
    },
  },
];
