/** `npm run clean`: stops what runs and removes the state of this checkout, caches included. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unmountBelow } from '../services/docker.js';
import { openInstance, PORIN_DIR } from '../services/instance.js';
import { stopServices } from '../services/stack.js';

for (const name of ['stack', 'test'] as const) {
  await stopServices(openInstance(name), (message) => console.log(`${name}: ${message}`));
}
unmountBelow(PORIN_DIR);
// The lock stays: another command may be waiting on it.
for (const entry of readdirSync(PORIN_DIR)) {
  if (entry !== 'lock') rmSync(join(PORIN_DIR, entry), { recursive: true, force: true });
}
console.log(`removed what was below ${PORIN_DIR}`);
