/** Ends the sessions of nodes that hold up others: locks and transactions are what Postgres lets every role have. */
import { type SqlFunction } from '../sql-function.js';
import { apiFunction } from './node-function.js';

/** Longer than any statement of a worker may take. */
const TRANSACTION_S = 45;

export const NODE_ABUSE: readonly SqlFunction[] = [
  // Those with an advisory lock, which no worker takes, or with a transaction that lasts; how many were ended.
  apiFunction(
    'end_node_abuse',
    `
BEGIN
  RETURN (SELECT to_jsonb(count(pg_terminate_backend(activity.pid, 2000)))
    FROM pg_stat_activity AS activity JOIN porin.node ON node.role_name = activity.usename::text
    WHERE activity.datname = current_database() AND (activity.xact_start < now() - make_interval(secs => ${TRANSACTION_S})
      OR EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = activity.pid AND locktype = 'advisory')));
END`,
  ),
];
