/** The one place where a TypeORM data source is made. */
import { DataSource } from 'typeorm';
import { CreateSchema1764000000000 } from '../../../migrations/1764000000000-create-schema.js';
import { SandboxDepth1764100000000 } from '../../../migrations/1764100000000-sandbox-depth.js';
import { LearnedProfiles1764200000000 } from '../../../migrations/1764200000000-learned-profiles.js';
import { StagesAndDenials1764300000000 } from '../../../migrations/1764300000000-stages-and-denials.js';
import { OwnSchema1764400000000 } from '../../../migrations/1764400000000-own-schema.js';
import { Nodes1764450000000 } from '../../../migrations/1764450000000-nodes.js';
import { Application, Build, TenantSetting } from './entities/application.js';
import { Artifact, ArtifactChunk, DenialRow, ExecutorRun, RecordingRow } from './entities/executor-run.js';
import { Attempt, Executor, Job, JobOutput, Outbox } from './entities/job.js';
import { Approval, ProfileVersion, ProfileVersionDenial, ProfileVersionRecording } from './entities/profile-version.js';
import { ApiKey, Audit, NodeRow } from './entities/trust.js';

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
  JobOutput,
  NodeRow,
  Outbox,
  ProfileVersion,
  ProfileVersionDenial,
  ProfileVersionRecording,
  RecordingRow,
  TenantSetting,
];

/** In the order in which they run; append, never edit one that has been released. */
export const MIGRATIONS = [
  CreateSchema1764000000000,
  SandboxDepth1764100000000,
  LearnedProfiles1764200000000,
  StagesAndDenials1764300000000,
  OwnSchema1764400000000,
  Nodes1764450000000,
];

/**
 * Startup options of every connection. `public` is for a database that has no schema `porin` yet, and for what the owner of
 * an older one still has there.
 */
export const SEARCH_PATH_OPTION = '-c search_path=porin,public';

export function makeDataSource(options: { url: string; applicationName: string; poolSize?: number }): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: options.applicationName,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    synchronize: false,
    poolSize: options.poolSize ?? 10,
    extra: { options: SEARCH_PATH_OPTION, statement_timeout: 30_000, idle_in_transaction_session_timeout: 30_000 },
  });
}
