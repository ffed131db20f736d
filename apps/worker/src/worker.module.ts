/** The worker's parts, made for one configuration, and the order in which they start and end. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ConfigError, type WorkerConfig } from '#lib/config';
import { DataRoot, Engine, type ImageSource, PullTurn, scratchBytes } from '#lib/execution';
import { DEFAULT_HTTP_TIMEOUTS, InputCache } from '#lib/staging';
import { type Logger } from 'pino';
import { AttemptStore } from './attempt/attempt-store.js';
import { PublicationStore } from './attempt/publication-store.js';
import { Consumer } from './node/consumer.js';
import { ImageCheckStore } from './node/image-check-store.js';
import { ImageChecker } from './node/image-checker.js';
import { ImageKeeper } from './node/image-keeper.js';
import { Node } from './node/node.js';
import { NodeSession } from './node/node-session.js';
import { NodeStore } from './node/node-store.js';
import { isPublicHost } from './node/public-host.js';
import { KeptRepositories } from './node/private-repositories.js';
import { Resources } from './node/resources.js';
import { ScratchPool } from './node/scratch-pool.js';
import { Sweeper } from './node/sweeper.js';
import { TenantImageStore } from './node/tenant-image-store.js';
import { TenantImages } from './node/tenant-images.js';
import { outputPlace, type WorkspacePlace } from './attempt/workspace.js';
import { ApprovalTrust } from './plan/approval-trust.js';
import { PlanStore } from './plan/plan-store.js';
import { RunStore } from './run/run-store.js';
import { asSchemaProblem, NodeDatabase } from './store/node-database.js';

const WORKER_CONFIG = Symbol('WorkerConfig');
const LOGGER = Symbol('Logger');

/** Of what is only removed. */
const ALL_TENANTS = { inputPrefixes: null, outputPrefixes: null, foreignPrefixes: [] };

@Injectable()
export class WorkerLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  #consumer: Consumer | undefined;
  #imageKeeper: ImageKeeper | undefined;
  #sweeper: Sweeper | undefined;
  #imageChecker: ImageChecker | undefined;
  readonly #database: NodeDatabase;
  readonly #session: NodeSession;
  readonly #node: Node;
  readonly #nodeStore: NodeStore;
  readonly #scratches: ScratchPool;
  #inputCache: InputCache | undefined;

  constructor(
    @Inject(WORKER_CONFIG) private readonly config: WorkerConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#database = new NodeDatabase({ url: config.PORIN_DATABASE_URL, logger });
    this.#session = new NodeSession({
      url: config.PORIN_DATABASE_URL,
      nodeName: config.PORIN_NODE_NAME,
      database: this.#database,
      logger,
      onCancel: (jobId) => this.#consumer?.cancel(jobId),
      onProbe: () => this.#node.beat(),
    });
    this.#nodeStore = new NodeStore(this.#database, readNodeKey(config.PORIN_NODE_KEY));
    const engine = new Engine(config.DOCKER_HOST.replace(/^unix:\/\//, ''));
    this.#node = new Node({
      config,
      engine,
      images: imageSource(engine, config),
      store: this.#nodeStore,
      trust: new ApprovalTrust({
        keysPath: config.PORIN_APPROVAL_PUBLIC_KEY_FILE,
        listPath: nodeFile(config, 'approvals'),
        logger,
      }),
      initPath: this.#native('porin-init'),
      recorderPath: this.#native('porin-recorder'),
      logger,
    });
    this.#scratches = new ScratchPool(this.#node.workDirectory);
  }

  /** Throws SchemaError. */
  checkSchema(): Promise<void> {
    return this.#database.checkSchema();
  }

  async onApplicationBootstrap(): Promise<void> {
    const { config, logger } = this;
    // First of all connections, so that another worker with these credentials is told by its name.
    await this.#session.openWithin(config.PORIN_DRAIN_MS).catch(asSchemaProblem);
    await this.checkSchema();
    for (const path of [this.#node.workDirectory, config.PORIN_RUN_DIR])
      mkdirSync(path, { recursive: true, mode: 0o700 });
    // Before the node looks what its disk has for jobs.
    const inputCache = (this.#inputCache = await this.#openInputCache());
    await this.#node.start();
    const { granted } = this.#node;
    const leases = { leaseMs: config.PORIN_LEASE_MS, session: this.#session };
    const store = new AttemptStore(this.#database, leases);
    const workspaces = this.#workspaces(inputCache);
    const publications = new PublicationStore(this.#database, leases);
    this.#consumer = new Consumer({
      redisUrl: config.PORIN_REDIS_URL,
      nodeId: granted.id,
      slots: granted.slots,
      resources: new Resources(granted, granted.slots),
      store,
      logger,
      attempts: {
        node: this.#node,
        store,
        publications,
        plans: new PlanStore(this.#database),
        runs: new RunStore(this.#database),
        tenantImages: new TenantImages({
          engine: this.#node.engine,
          store: new TenantImageStore(this.#database),
          logger,
        }),
        workspaces,
        runDirectory: config.PORIN_RUN_DIR,
        initPath: this.#native('porin-init'),
        leaseMs: config.PORIN_LEASE_MS,
        logLimitBytes: config.PORIN_LOG_LIMIT_BYTES,
        traceMaximumBytes: config.PORIN_TRACE_MAXIMUM_BYTES,
        storm: { perSecond: config.PORIN_DENIAL_STORM_PER_S, seconds: config.PORIN_DENIAL_STORM_S },
        logger,
      },
    });
    const consumer = this.#consumer;
    const place = outputPlace(workspaces, ALL_TENANTS, []);
    this.#sweeper = new Sweeper({
      store: publications,
      place,
      node: this.#node,
      logger,
      isRunning: (jobId) => consumer.isRunning(jobId),
      leaseMs: config.PORIN_LEASE_MS,
    });
    this.#sweeper.start();
    await this.#node.ready();
    consumer.start();
    this.#imageKeeper = new ImageKeeper({
      engine: this.#node.engine,
      store: this.#nodeStore,
      keepCount: config.PORIN_IMAGE_KEEP_COUNT,
      logger,
    });
    this.#imageKeeper.start();
    this.#imageChecker = new ImageChecker({
      images: this.#node.images,
      imageLists: this.#node.imageLists,
      store: new ImageCheckStore(this.#database),
      logger,
    });
    this.#imageChecker.start();
    logger.info({ node: this.#node.name, facts: this.#node.facts }, 'the worker takes jobs');
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.#consumer) {
      await this.#node.drain().catch((error: unknown) => this.logger.warn({ err: error }, 'draining'));
      await this.#consumer.drain(this.config.PORIN_DRAIN_MS);
    }
    await this.#imageChecker?.stop();
    await this.#imageKeeper?.stop();
    await this.#sweeper?.stop();
    await this.#scratches.clear();
    this.#inputCache?.stop();
    await this.#node.stop();
    await this.#session.close();
    await this.#database.end();
  }

  async #openInputCache(): Promise<InputCache | undefined> {
    const { PORIN_INPUT_CACHE_BYTES: maximumBytes, PORIN_DISK_BYTES: diskBytes } = this.config;
    const { workDirectory, inputCacheDirectory: directory } = this.#node;
    const cache = await InputCache.open({
      directory,
      maximumBytes,
      reservedBytes: async () => diskBytes + INPUTS_ON_THEIR_WAY_BYTES - (await scratchBytes(workDirectory)),
      onProblem: (error) => this.logger.warn({ err: error }, 'the cache of inputs'),
    });
    if (maximumBytes === 0) return undefined;
    cache.start();
    return cache;
  }

  #workspaces(inputCache: InputCache | undefined): WorkspacePlace {
    const { config } = this;
    return {
      inputCache,
      workDirectory: this.#node.workDirectory,
      scratches: this.#scratches,
      baseUid: config.PORIN_BASE_UID,
      nodeName: this.#node.name,
      sendDirectory: this.#node.sendDirectory,
      permissions: {
        uid: config.PORIN_OUTPUT_UID ?? null,
        gid: config.PORIN_OUTPUT_GID ?? null,
        mode: config.PORIN_OUTPUT_MODE,
      },
      rules: {
        inputPrefixes: config.PORIN_INPUT_URL_PREFIXES,
        outputPrefixes: config.PORIN_OUTPUT_URL_PREFIXES,
        allowPrivateAddresses: config.PORIN_ALLOW_PRIVATE_ADDRESSES,
        s3Endpoints: config.PORIN_S3_ENDPOINTS ?? [],
        authorities: config.PORIN_TRANSFER_CA_FILE && readAuthorities(config.PORIN_TRANSFER_CA_FILE),
        inputLimitBytes: config.PORIN_INPUT_LIMIT_BYTES,
        jobInputsLimitBytes: config.PORIN_JOB_INPUTS_LIMIT_BYTES,
        httpTimeouts: { ...DEFAULT_HTTP_TIMEOUTS, leastBytesPerS: config.PORIN_TRANSFER_LEAST_BYTES_PER_S },
      },
    };
  }

  #native(program: string): string {
    return join(this.config.PORIN_NATIVE_DIR, program);
  }
}

function readNodeKey(base64: string): KeyObject {
  const key = createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new ConfigError(['PORIN_NODE_KEY: is no Ed25519 key']);
}

/** Beside the work directory, which is emptied when the node starts. */
function nodeFile({ PORIN_WORK_DIR, PORIN_NODE_NAME }: WorkerConfig, name: string): string {
  return join(PORIN_WORK_DIR, `${name}-${encodeURIComponent(PORIN_NODE_NAME)}.json`);
}

function readAuthorities(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new ConfigError([`PORIN_TRANSFER_CA_FILE: ${path} has no certificate in PEM`]);
}

/** Free on the disk beside what payloads were promised. */
const INPUTS_ON_THEIR_WAY_BYTES = 1024 ** 3;

const PULL_STALL_MS = 180_000;

function imageSource(engine: Engine, config: WorkerConfig): ImageSource {
  return {
    engine,
    turn: new PullTurn(),
    limits: {
      bytes: config.PORIN_IMAGE_LIMIT_BYTES,
      freeBytes: config.PORIN_IMAGE_FREE_BYTES,
      timeoutMs: config.PORIN_IMAGE_PULL_TIMEOUT_MS,
      stallMs: PULL_STALL_MS,
    },
    dataRoot: () => DataRoot.of(engine, config.PORIN_WORK_DIR),
    isPublic: isPublicHost,
    privateRepositories: new KeptRepositories(nodeFile(config, 'private-repositories')),
  };
}

@Module({})
export class WorkerModule {
  static register(config: WorkerConfig, logger: Logger): DynamicModule {
    return {
      module: WorkerModule,
      providers: [WorkerLifecycle, { provide: WORKER_CONFIG, useValue: config }, { provide: LOGGER, useValue: logger }],
    };
  }
}
