/** The number of every advisory lock that Porin takes: in Postgres they are one space, and two of one number wait for each other. */
export const ADVISORY_LOCKS = {
  /** Making the roles of the grid. Written out in migrations, which stay as they are. */
  roles: 7_060_116,
  /** Migrating. */
  migration: 7_060_117,
  /** Setting passwords: roles are the cluster's. */
  password: 7_060_119,
  /** The list of approvals: from the reading of one to the end of the transaction that issues the next. */
  approvalList: 7_060_121,
  /** URL prefixes of tenants: two must not get one at the same time. */
  tenantPrefixes: 7_060_122,
  /** Submissions with outputs, and their release: each sees the claims of those before it. */
  outputClaims: 7_060_123,
  /** Tasks of one request, with its hash as a second number: who repeats it waits until those under way are committed. */
  repeatedTasks: 7_060_124,
} as const;
