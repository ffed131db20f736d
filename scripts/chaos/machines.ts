/** The machines that the grid seems to have, each an instance of its own, and what of them fits which jobs. */
import { type InstanceName, openInstance } from '../services/instance.js';

const GIB = 1024 ** 3;

export const NODE_NUMBERS = [1, 2, 3] as const;
export type NodeNumber = (typeof NODE_NUMBERS)[number];
/** The only node where large jobs fit. */
export const LARGE_NODE: NodeNumber = 3;
export const SMALL_NODE_MEMORY_BYTES = 2 * GIB;
export const LARGE_NODE_MEMORY_BYTES = 4 * GIB;

export const INSTANCES = ['chaos', 'chaos-1', 'chaos-2', 'chaos-3'] as const satisfies readonly InstanceName[];
/** Of Postgres and Redis, and of what all machines share: keys, inputs, outputs. */
export const BASE = openInstance('chaos');
export const machine = (number: NodeNumber) => openInstance(`chaos-${number}`);
