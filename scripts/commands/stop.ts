/** `npm run stop`: ends every service of ours in this checkout. */
import { INSTANCE_NAMES } from '../services/instance.js';
import { stopStack } from '../services/stop-stack.js';

for (const name of INSTANCE_NAMES) await stopStack(name, (message) => console.log(`${name}: ${message}`));
console.log('stopped');
