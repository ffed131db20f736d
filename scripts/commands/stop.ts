/** `npm run stop`: ends every service of ours in this checkout. */
import { openInstance } from '../services/instance.js';
import { stopServices } from '../services/stack.js';

for (const name of ['stack', 'test'] as const) {
  await stopServices(openInstance(name), (message) => console.log(`${name}: ${message}`));
}
console.log('stopped');
