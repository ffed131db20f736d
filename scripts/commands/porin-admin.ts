/** `npm run porin-admin -- <command>`: the administrators' command line, on the environment's database or the stack's. */
import { cliVariables, runCli } from '../services/cli.js';
import { openInstance } from '../services/instance.js';

const given = process.env.PORIN_DATABASE_URL ?? process.env.PORIN_OWNER_DATABASE_URL;
const variables = given ? {} : cliVariables(openInstance('stack'));
if (!variables) {
  console.error('porin-admin: no stack has been started here (`npm start`), and PORIN_DATABASE_URL is not set');
}
process.exitCode = runCli(process.argv.slice(2), variables ?? {});
