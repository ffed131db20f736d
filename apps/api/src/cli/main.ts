/** porin-admin, the operators' command line: finds the command that was typed and carries it out. */
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { BACKUP_COMMANDS } from './backup-commands.js';
import { type Command, type Given, UsageError } from './command.js';
import { KEY_COMMANDS } from './key-commands.js';
import { MIGRATE } from './migrate-command.js';
import { NODE_COMMANDS } from './node-commands.js';
import { PRINCIPAL_COMMANDS } from './principal-commands.js';
import { SECRET_COMMANDS } from './secret-commands.js';
import { SIGNING_COMMANDS } from './signing-commands.js';
import { TENANT_COMMANDS } from './tenant-commands.js';

const COMMANDS: readonly Command[] = [
  MIGRATE,
  ...BACKUP_COMMANDS,
  ...KEY_COMMANDS,
  ...NODE_COMMANDS,
  ...PRINCIPAL_COMMANDS,
  ...SECRET_COMMANDS,
  ...SIGNING_COMMANDS,
  ...TENANT_COMMANDS,
];

function help(commands: readonly Command[]): string {
  const lines = commands.flatMap(({ words, operands = [], help: [what = '', ...more] }) => [
    `  ${[words, ...operands.map((operand) => `<${operand}>`)].join(' ').padEnd(28)}  ${what}`,
    ...more.map((line) => `      ${line}`),
  ]);
  return [
    'usage: porin-admin <command>',
    ...lines,
    'PORIN_DATABASE_URL names the database, as the role porin_api, where nothing else is said.',
  ].join('\n');
}

/** The command whose words come first; longer ones win. */
function find(typed: readonly string[]): Command | undefined {
  const begins = ({ words }: Command) => words.split(' ').every((word, index) => typed[index] === word);
  return COMMANDS.filter(begins).sort((one, other) => other.words.length - one.words.length)[0];
}

async function carryOut(typed: readonly string[]): Promise<void> {
  const command = find(typed);
  if (typed.includes('--help') || typed.includes('-h') || typed.length === 0) {
    console.log(help(command ? [command] : COMMANDS));
    return;
  }
  if (!command) throw new UsageError(`unknown command\n${help(COMMANDS)}`);
  await command.run(read(command, typed.slice(command.words.split(' ').length)));
}

function read(command: Command, args: readonly string[]): Given {
  const { operands = [], options = {}, words } = command;
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (positionals.length !== operands.length) {
    throw new UsageError(`usage: porin-admin ${[words, ...operands.map((operand) => `<${operand}>`)].join(' ')}`);
  }
  return {
    operands: positionals,
    text(option) {
      const value = values[option];
      return typeof value === 'string' ? value : undefined;
    },
    flag: (option) => values[option] === true,
  };
}

try {
  await carryOut(process.argv.slice(2));
} catch (error) {
  console.error(`porin-admin: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
