/** `npm run status`: what runs in this checkout. */
import { existsSync } from 'node:fs';
import { INSTANCE_NAMES, openInstance } from '../services/instance.js';
import { describeStack } from '../services/stop-stack.js';

const names = INSTANCE_NAMES.filter((name) => existsSync(openInstance(name).directory));
for (const name of names) for (const line of describeStack(name)) console.log(`${name}: ${line}`);
if (names.length === 0) console.log('nothing has been started yet; `npm start` does');
