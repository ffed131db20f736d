/** `npm run clean`: stops what runs and removes the state of this checkout, caches and compiled code included. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { INSTANCE_NAMES } from '../services/instance.js';
import { unmountBelow } from '../services/mounts.js';
import { stopStack } from '../services/stop-stack.js';
import { PORIN_DIR } from '../setup/paths.js';

for (const name of INSTANCE_NAMES) await stopStack(name, (message) => console.log(`${name}: ${message}`));
unmountBelow(PORIN_DIR);
// The locks stay: another command may be waiting on one.
for (const entry of readdirSync(PORIN_DIR)) {
  if (!entry.endsWith('lock')) rmSync(join(PORIN_DIR, entry), { recursive: true, force: true });
}
console.log(`removed what was below ${PORIN_DIR}`);
