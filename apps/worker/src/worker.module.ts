/** The worker's parts, made for one configuration, and the order in which they start and end. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { type WorkerConfig } from '#lib/config';
import { checkSchema, makeDataSource } from '#lib/database';
import { DataRoot, Engine, type ImageSource, PullTurn } from '#lib/execution';
import { type Logger } from 'pino';
import { DataSource } from 'typeorm';
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
import { Resources } from './node/resources.js';
import { ScratchPool } from './node/scratch-pool.js';
import { Sweeper } from './node/sweeper.js';
import { outputPlace, type WorkspacePlace } from './attempt/workspace.js';
import { ApprovalTrust } from './plan/approval-trust.js';
import { PlanStore } from './plan/plan-store.js';
import { RunStore } from './run/run-store.js';

const WORKER_CONFIG = Symbol('WorkerConfig');
const LOGGER = Symbol('Logger');

/** Of what is only removed. */
const ALL_TENANTS = { tenantPrefixes: { inputPrefixes: null, outputPrefixes: null, foreignPrefixes: [] } };

@Injectable()
export class WorkerLifecycle implements OnApplicationBootstrap, OnApplicationShutdown {
  #consumer: Consumer | undefined;
  #imageKeeper: ImageKeeper | undefined;
  #sweeper: Sweeper | undefined;
  #imageChecker: ImageChecker | undefined;
  readonly #session: NodeSession;
  readonly #node: Node;
  readonly #nodeStore: NodeStore;
  readonly #scratches: ScratchPool;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(WORKER_CONFIG) private readonly config: WorkerConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#session = new NodeSession({
      url: config.PORIN_DATABASE_URL,
      nodeName: config.PORIN_NODE_NAME,
      logger,
      onCancel: (jobId) => this.#consumer?.cancel(jobId),
    });
    this.#nodeStore = new NodeStore(dataSource);
    const engine = new Engine(config.DOCKER_HOST.replace(/^unix:\/\//, ''));
    this.#node = new Node({
      config,
      engine,
      images: imageSource(engine, config),
      store: this.#nodeStore,
      trust: new ApprovalTrust({
        keysPath: config.PORIN_APPROVAL_PUBLIC_KEY_FILE,
        listPath: join(config.PORIN_WORK_DIR, `approvals-${encodeURIComponent(config.PORIN_NODE_NAME)}.json`),
        logger,
      }),
      initPath: this.#native('porin-init'),
      recorderPath: this.#native('porin-recorder'),
      logger,
    });
    this.#scratches = new ScratchPool(this.#node.workDirectory);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { config, logger } = this;
    await checkSchema((sql) => this.dataSource.query(sql));
    for (const path of [this.#node.workDirectory, config.PORIN_RUN_DIR])
      mkdirSync(path, { recursive: true, mode: 0o700 });
    await this.#session.open();
    await this.#node.start();
    const store = new AttemptStore(this.dataSource, {
      nodeId: this.#node.id,
      leaseMs: config.PORIN_LEASE_MS,
    });
    const workspaces = this.#workspaces();
    const publications = new PublicationStore(this.dataSource, {
      nodeId: this.#node.id,
      leaseMs: config.PORIN_LEASE_MS,
    });
    this.#consumer = new Consumer({
      redisUrl: config.PORIN_REDIS_URL,
      nodeId: this.#node.id,
      slots: config.PORIN_SLOTS,
      resources: new Resources(
        {
          cpuMilli: config.PORIN_CPU_MILLI,
          memoryBytes: config.PORIN_MEMORY_BYTES,
          diskBytes: config.PORIN_DISK_BYTES,
        },
        config.PORIN_SLOTS,
      ),
      store,
      logger,
      attempts: {
        node: this.#node,
        store,
        publications,
        plans: new PlanStore(this.dataSource),
        runs: new RunStore(this.dataSource, this.#node.id),
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
    const place = outputPlace(workspaces, ALL_TENANTS);
    this.#sweeper = new Sweeper({
      store: publications,
      place,
      logger,
      isRunning: (jobId) => consumer.isRunning(jobId),
    });
    this.#sweeper.start();
    consumer.start();
    await this.#node.ready();
    this.#imageKeeper = new ImageKeeper({
      engine: this.#node.engine,
      store: this.#nodeStore,
      nodeId: this.#node.id,
      keepCount: config.PORIN_IMAGE_KEEP_COUNT,
      logger,
    });
    this.#imageKeeper.start();
    this.#imageChecker = new ImageChecker({
      images: this.#node.images,
      imageLists: this.#node.imageLists,
      store: new ImageCheckStore(this.dataSource, this.#node.id),
      plans: new PlanStore(this.dataSource),
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
    await this.#node.stop();
    await this.#session.close();
  }

  #workspaces(): WorkspacePlace {
    const { config } = this;
    return {
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
        inputLimitBytes: config.PORIN_INPUT_LIMIT_BYTES,
      },
    };
  }

  #native(program: string): string {
    return join(this.config.PORIN_NATIVE_DIR, program);
  }
}

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
  };
}

@Module({})
export class WorkerModule {
  static register(config: WorkerConfig, logger: Logger): DynamicModule {
    const { PORIN_DATABASE_URL: url, PORIN_SLOTS: slots } = config;
    return {
      module: WorkerModule,
      imports: [
        TypeOrmModule.forRoot(makeDataSource({ url, applicationName: 'porin-worker', poolSize: slots + 4 }).options),
      ],
      providers: [WorkerLifecycle, { provide: WORKER_CONFIG, useValue: config }, { provide: LOGGER, useValue: logger }],
    };
  }
}
