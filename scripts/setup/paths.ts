/** The checkout and its state directory; every command runs with the checkout as its working directory. */
import { join } from 'node:path';

export const ROOT = process.cwd();
export const PORIN_DIR = join(ROOT, '.porin');
export const DIST_DIR = join(PORIN_DIR, 'dist');
export const NATIVE_DIR = join(PORIN_DIR, 'native');
/** Images and root file systems that take long to make and no instance owns. */
export const CACHE_DIR = join(PORIN_DIR, 'cache');
