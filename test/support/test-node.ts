/** A node's own way to the database, as its worker has it. */
import { type NodeCredentials } from '#lib/database';
import { pino } from 'pino';
import { NodeDatabase } from '../../apps/worker/src/store/node-database.js';
import { nodeDatabaseUrl } from './database.js';

export function openAsNode(ownerUrl: string, credentials: NodeCredentials): NodeDatabase {
  return new NodeDatabase({ url: nodeDatabaseUrl(ownerUrl, credentials), logger: pino({ level: 'silent' }) });
}
