/** All tables of attacks. */
import { type Family } from '../attack.js';
import { ABI } from './abi.js';
import { ARGUMENTS } from './arguments.js';
import { CODE } from './code.js';
import { FILES } from './files.js';
import { KERNEL } from './kernel.js';
import { NAMESPACES } from './namespaces.js';
import { PAPER } from './paper.js';
import { RESOURCES } from './resources.js';
import { SANDBOX } from './sandbox.js';
import { SOCKETS } from './sockets.js';
import { STARVATION } from './starvation.js';
import { SUPERVISOR } from './supervisor.js';

export const FAMILIES: readonly Family[] = [
  PAPER,
  NAMESPACES,
  SUPERVISOR,
  STARVATION,
  SANDBOX,
  KERNEL,
  ABI,
  SOCKETS,
  FILES,
  CODE,
  RESOURCES,
  ARGUMENTS,
];
