/** `npm run build`: what the bootstrap does before every command, and no more. */
import { DIST_DIR, NATIVE_DIR } from '../setup/paths.js';

console.log(`built ${DIST_DIR} and ${NATIVE_DIR}`);
