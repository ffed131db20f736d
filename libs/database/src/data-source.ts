/** The one place where a TypeORM data source is made. */
import { DataSource } from 'typeorm';
import { CreateSchema1764000000000 } from '../../../migrations/1764000000000-create-schema.js';
import { SandboxDepth1764100000000 } from '../../../migrations/1764100000000-sandbox-depth.js';
import { LearnedProfiles1764200000000 } from '../../../migrations/1764200000000-learned-profiles.js';
import { StagesAndDenials1764300000000 } from '../../../migrations/1764300000000-stages-and-denials.js';
import { OwnSchema1764400000000 } from '../../../migrations/1764400000000-own-schema.js';
import { Nodes1764450000000 } from '../../../migrations/1764450000000-nodes.js';
import { Publication1764410000000 } from '../../../migrations/1764410000000-publication.js';
import { TenantBounds1764470000000 } from '../../../migrations/1764470000000-tenant-bounds.js';
import { Lanes1764550000000 } from '../../../migrations/1764550000000-lanes.js';
import { NodeHealth1764560000000 } from '../../../migrations/1764560000000-node-health.js';
import { FactVersion1764570000000 } from '../../../migrations/1764570000000-fact-version.js';
import { Tes1764580000000 } from '../../../migrations/1764580000000-tes.js';
import { ExecutorFiles1764590000000 } from '../../../migrations/1764590000000-executor-files.js';
import { S3Outputs1764600000000 } from '../../../migrations/1764600000000-s3-outputs.js';
import { Secrets1764610000000 } from '../../../migrations/1764610000000-secrets.js';
import { BegunJobs1764620000000 } from '../../../migrations/1764620000000-begun-jobs.js';
import { StagingProgress1764630000000 } from '../../../migrations/1764630000000-staging-progress.js';
import { CopiesOfOutputs1764660000000 } from '../../../migrations/1764660000000-copies-of-outputs.js';
import { CachedInputs1764640000000 } from '../../../migrations/1764640000000-cached-inputs.js';
import { UnwatchedRuns1764661000000 } from '../../../migrations/1764661000000-unwatched-runs.js';
import { Expiry1764520000000 } from '../../../migrations/1764520000000-expiry.js';
import { DispatcherLease1764540000000 } from '../../../migrations/1764540000000-dispatcher-lease.js';
import { Connection, CONNECTION_LIMITS, SEARCH_PATH_OPTION } from './connection.js';
import { Principals1764440000000 } from '../../../migrations/1764440000000-principals.js';
import { SigningKeys1764430000000 } from '../../../migrations/1764430000000-signing-keys.js';
import { Placement1764460000000 } from '../../../migrations/1764460000000-placement.js';
import { Images1764420000000 } from '../../../migrations/1764420000000-images.js';
import { NodeImages1764480000000 } from '../../../migrations/1764480000000-node-images.js';
import { BoundsOfNodes1764500000000 } from '../../../migrations/1764500000000-bounds-of-nodes.js';
import { Application, Build, TenantSetting } from './entities/application.js';
import { Artifact, ArtifactChunk, DenialRow, ExecutorRun } from './entities/executor-run.js';
import { Attempt, Executor, Job } from './entities/job.js';
import { Approval, ProfileVersion, ProfileVersionDenial, ProfileVersionRecording } from './entities/profile-version.js';
import { Secret } from './entities/secret.js';
import { ApiKey, Audit, NodeRow, Principal } from './entities/trust.js';

export const ENTITIES = [
  ApiKey,
  Application,
  Approval,
  Artifact,
  ArtifactChunk,
  Attempt,
  Audit,
  Build,
  DenialRow,
  Executor,
  ExecutorRun,
  Job,
  NodeRow,
  Principal,
  ProfileVersion,
  ProfileVersionDenial,
  ProfileVersionRecording,
  Secret,
  TenantSetting,
];

/** In the order in which they run; append, never edit one that has been released. */
export const MIGRATIONS = [
  CreateSchema1764000000000,
  SandboxDepth1764100000000,
  LearnedProfiles1764200000000,
  StagesAndDenials1764300000000,
  OwnSchema1764400000000,
  Publication1764410000000,
  Images1764420000000,
  SigningKeys1764430000000,
  Principals1764440000000,
  Nodes1764450000000,
  Placement1764460000000,
  TenantBounds1764470000000,
  NodeImages1764480000000,
  BoundsOfNodes1764500000000,
  Expiry1764520000000,
  DispatcherLease1764540000000,
  Lanes1764550000000,
  NodeHealth1764560000000,
  FactVersion1764570000000,
  Tes1764580000000,
  ExecutorFiles1764590000000,
  S3Outputs1764600000000,
  Secrets1764610000000,
  BegunJobs1764620000000,
  StagingProgress1764630000000,
  CachedInputs1764640000000,
  CopiesOfOutputs1764660000000,
  UnwatchedRuns1764661000000,
];

/** A connection that nobody has used for so long is closed: opening one costs more than a hundred statements. */
const IDLE_MS = 10 * 60_000;

/**
 * A plan that was made while a table was empty is kept as it grows, until Postgres has analysed it: none may read all of a table
 * where an index serves. Nor is any of our statements worth compiling.
 */
const PLANNER_OPTIONS = '-c enable_seqscan=off -c jit=off';

export interface DataSourceOptions {
  readonly url: string;
  readonly applicationName: string;
  readonly poolSize?: number;
  /** After which Postgres ends the connection of a transaction that asks nothing. */
  readonly idleInTransactionMs?: number;
  /** After which a statement that waits for a lock fails; for as long as a statement may take, where absent. */
  readonly lockTimeoutMs?: number;
}

export function makeDataSource(options: DataSourceOptions): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    synchronize: false,
    // None is needed, and it would come to lie in our schema.
    installExtensions: false,
    poolSize: options.poolSize ?? 10,
    extra: {
      Client: Connection,
      options: `${SEARCH_PATH_OPTION} ${PLANNER_OPTIONS}`,
      ...CONNECTION_LIMITS,
      idleTimeoutMillis: IDLE_MS,
      idle_in_transaction_session_timeout: options.idleInTransactionMs ?? 30_000,
      ...(options.lockTimeoutMs !== undefined && { lock_timeout: options.lockTimeoutMs }),
    },
  });
}
