/** `npm run generate`: writes every generated file; with --check, fails when one differs from what is committed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { renderEnvExample } from '#lib/config';
import { renderOpenApi } from '../../apps/api/src/openapi/render.js';
import { AWARE_ARGUMENT_FILES } from '../generate/aware-arguments.js';
import { SYSCALL_TABLE_FILES } from '../generate/syscall-tables.js';

const FILES: Readonly<Record<string, () => string | Promise<string>>> = {
  '.env.example': renderEnvExample,
  'openapi.json': renderOpenApi,
  ...SYSCALL_TABLE_FILES,
  ...AWARE_ARGUMENT_FILES,
};

const check = process.argv.includes('--check');
for (const [path, render] of Object.entries(FILES)) {
  const wanted = await render();
  if (existsSync(path) && readFileSync(path, 'utf8') === wanted) continue;
  if (check) {
    console.error(`${path} is out of date: run \`npm run generate\``);
    process.exitCode = 1;
  } else {
    writeFileSync(path, wanted);
    console.log(`wrote ${path}`);
  }
}
