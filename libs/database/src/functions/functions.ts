/** Every function of the schema `porin` that the code of this version wants, in the order in which they are made. */
import { OUTPUT_CLAIMS } from './output-claims.js';
import { type SqlFunction } from './sql-function.js';
import { STATE_MACHINE } from './state-machine.js';
import { TENANT_USAGE } from './tenant-usage.js';

export const FUNCTIONS: readonly SqlFunction[] = [...STATE_MACHINE, ...OUTPUT_CLAIMS, ...TENANT_USAGE];
