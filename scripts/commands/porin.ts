/** `npm run porin -- <command>`: the administrators' command line, on the environment's database or the private stack's. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepareApi } from '../services/api.js';
import { isOurs } from '../services/daemon.js';
import { openInstance, PORIN_DIR } from '../services/instance.js';
import { readState } from '../services/state.js';

async function stackEnvironment(): Promise<NodeJS.ProcessEnv> {
  const instance = openInstance('stack');
  const { postgres, redis } = readState(instance);
  const runs = postgres && redis && (!postgres.process || isOurs(postgres.process));
  return runs ? prepareApi(instance, postgres.url, redis.url) : {};
}

const own = process.env.PORIN_DATABASE_URL ?? process.env.PORIN_OWNER_DATABASE_URL;
const result = spawnSync(
  process.execPath,
  [join(PORIN_DIR, 'dist/apps/api/src/cli/main.js'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, ...(own ? {} : await stackEnvironment()) },
  },
);
process.exitCode = result.status ?? 1;
