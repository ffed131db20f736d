/** `npm run status`: what runs in this checkout. */
import { openInstance } from '../services/instance.js';
import { describeServices } from '../services/stack.js';

for (const name of ['stack', 'test'] as const) {
  for (const line of describeServices(openInstance(name))) console.log(`${name}: ${line}`);
}
