/** `porin-admin tenant show|set`: what holds for all jobs and versions of a tenant. */
import { z } from 'zod';
import {
  ofEach,
  SETTING_NAMES,
  SETTINGS,
  TENANT_DEFAULTS,
  type TenantSettings,
  tenantSettings,
  tenantUsage,
} from '#lib/store';
import { changeTenant, type TenantChange } from '../tenant/tenant-settings.js';
import { type Command, TENANT_OPTION, UsageError, withDatabase } from './command.js';

const OPTIONS = Object.fromEntries(SETTING_NAMES.map((name) => [SETTINGS[name].option, { type: 'string' as const }]));

export const TENANT_COMMANDS: readonly Command[] = [
  {
    words: 'tenant show',
    options: TENANT_OPTION,
    help: ['what holds for all jobs and versions of a tenant', '--tenant <name>    (default: default)'],
    async run({ text }) {
      const tenant = text('tenant') ?? '';
      await withDatabase(async (manager) => {
        printTenant(tenant, await tenantSettings(manager, tenant));
        const { queuedJobs, storedBytes, proposals } = await tenantUsage(manager, tenant);
        console.log(`used\t${queuedJobs} jobs, ${storedBytes} bytes stored, ${proposals} proposals`);
      });
    },
  },
  {
    words: 'tenant set',
    options: { ...OPTIONS, ...TENANT_OPTION },
    help: [
      'change it; "default" in the place of a value goes back to the default',
      ...SETTING_NAMES.map((name) => {
        const { option, takes, help } = SETTINGS[name];
        return `${`--${option} <${takes}>`.padEnd(40)} ${help}`;
      }),
      `${'--tenant <name>'.padEnd(40)} (default: default)`,
    ],
    async run({ text }) {
      const tenant = text('tenant') ?? '';
      const change = readChange(text);
      if (Object.keys(change).length === 0) {
        throw new UsageError(
          `tenant set needs ${SETTING_NAMES.map((name) => `--${SETTINGS[name].option}`).join(' or ')}`,
        );
      }
      const after = await withDatabase((database) =>
        database.transaction((manager) => changeTenant(manager, { tenant, actor: 'command line' }, change)),
      );
      printTenant(tenant, after);
    },
  },
];

function readChange(text: (option: string) => string | undefined): TenantChange {
  const values = ofEach((name) => {
    const typed = text(SETTINGS[name].option);
    return typed === undefined || typed === 'default' ? typed && TENANT_DEFAULTS[name] : readValue(name, typed);
  });
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

const WORDS: Readonly<Record<string, boolean>> = { on: true, off: false };

function readValue(name: keyof TenantSettings, typed: string): unknown {
  const { schema, option, takes } = SETTINGS[name];
  const list = typed === 'none' ? [] : typed.split(',').map((entry) => entry.trim());
  const candidates = [typed, WORDS[typed], /^\d+$/.test(typed) ? Number(typed) : undefined, list];
  for (const candidate of candidates) {
    const parsed = z.safeParse<z.ZodType>(schema, candidate);
    if (candidate !== undefined && parsed.success) return parsed.data;
  }
  const words = takes.includes('|') ? `one of ${takes.replaceAll('|', ', ')}` : `<${takes}>`;
  const { error } = z.safeParse<z.ZodType>(schema, takes === 'list' ? list : typed);
  throw new UsageError(`--${option} must be ${words}: ${error?.issues[0]?.message ?? typed}`);
}

function printTenant(tenant: string, settings: TenantSettings): void {
  console.log(`tenant\t${tenant}`);
  for (const name of SETTING_NAMES) {
    const [now, otherwise] = [shown(settings[name]), shown(TENANT_DEFAULTS[name])];
    console.log(`${SETTINGS[name].option.replaceAll('-', ' ')}\t${now}\t(default: ${otherwise})`);
  }
}

function shown(value: TenantSettings[keyof TenantSettings]): string {
  if (Array.isArray(value)) return value.join(',') || 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return value === null ? 'as the grid' : String(value);
}
