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
import { SOCKETS } from './sockets.js';
import { SUPERVISOR } from './supervisor.js';

export const FAMILIES: readonly Family[] = [
  PAPER,
  NAMESPACES,
  SUPERVISOR,
  KERNEL,
  ABI,
  SOCKETS,
  FILES,
  CODE,
  RESOURCES,
  ARGUMENTS,
];
