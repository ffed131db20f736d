/** Renders `.env.example` from the schema, so that it cannot drift from what the programs read. */
import { z } from 'zod';
import { apiVariables, dispatcherVariables, workerVariables } from './variables.js';

/** Defaults that depend on the machine the generator runs on; printed in words. */
const MACHINE_DEFAULTS: Readonly<Record<string, string>> = {
  PORIN_NODE_NAME: "this machine's host name",
  PORIN_SLOTS: "this machine's cores",
  PORIN_CPU_MILLI: "this machine's cores x 1000",
  PORIN_MEMORY_BYTES: "80 % of this machine's memory",
};

export function renderEnvExample(): string {
  return [
    '# Generated from libs/config/src/variables.ts by `npm run generate`. Lines with a value after # are defaults.',
    ...section('API', apiVariables),
    ...section('Dispatcher', dispatcherVariables),
    ...section('Worker', workerVariables),
    '',
  ].join('\n');
}

function section(title: string, schema: z.ZodObject): string[] {
  const lines = ['', `# ${title}`];
  for (const [name, field] of Object.entries(schema.shape)) {
    const type = field as z.ZodType;
    const parsed = type.safeParse(undefined);
    lines.push(`# ${type.description ?? ''}`);
    if (!parsed.success) lines.push(`${name}=`);
    else
      lines.push(
        `#${name}=${MACHINE_DEFAULTS[name] ? `<${MACHINE_DEFAULTS[name]}>` : defaultText(givenDefault(type))}`,
      );
  }
  return lines;
}

/** As it would be given, which is not what is made of it: a mode is octal there, and a number here. */
function givenDefault(type: z.ZodType): unknown {
  if (type instanceof z.ZodPipe) return givenDefault(type.in as z.ZodType);
  return type instanceof z.ZodDefault ? type.def.defaultValue : undefined;
}

/** Defaults are texts, numbers, booleans and lists of texts. */
function defaultText(value: unknown): string {
  return value === undefined
    ? ''
    : Array.isArray(value)
      ? value.join(',')
      : JSON.stringify(value).replace(/^"|"$/g, '');
}
